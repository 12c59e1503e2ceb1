"""Takes out of a text what must not be seen ("no people"): text encoders don't read negations.

The words are rows of `data/unwanted.json`. Must not know a family.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

_DATA = Path(__file__).with_name("data") / "unwanted.json"
_MOST_WORDS = 4  # of what a clause does not want: more is a sentence of another sort


def divide(words: str) -> tuple[str, str]:
    """Return a text without what it says must not be seen, and that, joined by commas.

    A text that says nothing else stays as it is.
    """
    unwanted: list[str] = []
    kept = words
    for pattern in _patterns():
        kept = pattern.sub(_taking(unwanted), kept)
    kept = kept.strip() if unwanted else kept
    return (kept if re.search(r"\w", kept) else words), ", ".join(dict.fromkeys(unwanted))


def _taking(unwanted: list[str]) -> Callable[[re.Match[str]], str]:
    """Return what replaces a match by its `before`, and takes note of its `thing`."""

    def take(found: re.Match[str]) -> str:
        unwanted.append(_joiner().sub(", ", found["thing"].strip()))
        return found["before"]

    return take


@cache
def _patterns() -> tuple[re.Pattern[str], ...]:
    """Return the patterns of a clause after a comma, of one that begins a sentence, and within."""
    rows = json.loads(_DATA.read_text(encoding="utf-8"))
    some = rf"(?:(?!(?:{_any(rows['kept'])})(?!\w))[\w'-]+[ \t]*){{1,{_MOST_WORDS}}}"
    clause = rf"(?:{_any(rows['clauses'])})[ \t]+(?P<thing>{some})"
    thing = rf"(?:{_any(rows['things'])})(?!\w)"
    more = rf"(?:[ \t]+(?:{_any(rows['joiners'])})[ \t]+{thing})*"
    return (
        _compiled(rf"(?P<before>)\s*[,;]\s*{clause}(?=[,.;!?\n]|$)"),
        _compiled(rf"(?P<before>^\s*|[.!?\n]\s*){clause}(?:[,.;!?]+\s*|$)"),
        _compiled(
            rf"(?P<before>)(?:^|[ \t]+)(?:{_any(rows['within'])})[ \t]+(?P<thing>{thing}{more})"
        ),
    )


@cache
def _joiner() -> re.Pattern[str]:
    rows = json.loads(_DATA.read_text(encoding="utf-8"))
    return _compiled(rf"[ \t]+(?:{_any(rows['joiners'])})[ \t]+")


def _any(phrases: Sequence[str]) -> str:
    """Return a pattern of phrases, the longest first, whatever spaces they have."""
    longest = sorted(phrases, key=len, reverse=True)
    return "|".join(re.escape(phrase).replace(r"\ ", r"[ \t]+") for phrase in longest)


def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)
