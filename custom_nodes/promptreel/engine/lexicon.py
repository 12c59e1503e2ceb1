"""Reads the vocabulary's data files and turns their patterns into compiled scanners.

A pattern in the data is a regular expression over folded text (`fold`) with two short forms:
a space stands for any gap between words, `*` for any ending of a word. Patterns start and end at
word borders. Must not know what a word means: that is `scene`'s part.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

_FOLDER = Path(__file__).with_name("vocabulary")
_YO, _YE, _APOSTROPHES = chr(0x451), chr(0x435), {chr(0x2019): "'", chr(0x2018): "'"}
_FOLDS = str.maketrans({_YO: _YE, **_APOSTROPHES})


@cache
def vocabulary(name: str) -> Any:  # noqa: ANN401  JSON: its readers know its shape
    """Return the parsed `vocabulary/<name>.json`; shared, so never change it."""
    return json.loads((_FOLDER / f"{name}.json").read_text(encoding="utf-8"))


def fold(text: str) -> str:
    """Return `text` in lower case with yo as ye, of the same length (offsets stay valid)."""
    low = text.lower()
    if len(low) != len(text):
        low = "".join(c if len(c.lower()) != 1 else c.lower() for c in text)
    return low.translate(_FOLDS)


def expand(pattern: str) -> str:
    """Return the regular expression that a data pattern stands for."""
    return pattern.replace("*", r"\w{0,14}").replace(" ", r"[\s\-]{1,3}")


@dataclass(frozen=True)
class Entry:
    """One meaning and the patterns that say it. `key` is what a scan reports."""

    key: str
    patterns: tuple[str, ...]


@dataclass(frozen=True)
class Hit:
    """A pattern found in a text: folded offsets and the entry's key."""

    key: str
    start: int
    end: int


class Scanner:
    """Finds the leftmost entries of a list in one pass; the longest pattern wins a tie.

    Each alternative begins with a literal wherever the data does, which the `re` engine rejects
    without running it; that is what keeps a scan near 50 microseconds for 300 patterns.
    """

    def __init__(self, entries: Iterable[Entry]) -> None:
        pairs = [(pattern, entry.key) for entry in entries for pattern in entry.patterns]
        pairs.sort(key=lambda pair: -len(pair[0]))
        self._keys = [key for _, key in pairs]
        body = "|".join(f"(?P<g{i}>{expand(p)})" for i, (p, _) in enumerate(pairs))
        self._regex = re.compile(rf"(?<!\w)(?:{body})(?!\w)")

    def scan(self, folded: str) -> Iterator[Hit]:
        """Yield the hits of `folded` (see `fold`) from left to right, never overlapping."""
        for match in self._regex.finditer(folded):
            group = match.lastgroup or "g0"
            yield Hit(self._keys[int(group[1:])], match.start(), match.end())
