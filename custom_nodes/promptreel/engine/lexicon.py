"""Reads the vocabulary's data files and turns their patterns into compiled scanners.

A pattern in the data is a regular expression over folded text (`fold`) with two short forms:
a space stands for any gap between words (` ?`: or none), `*` for any ending of a word. Patterns
start and end at word borders. Must not know what a word means: `tokens` and `motion` do.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Generic, TypeVar

Key = TypeVar("Key")
_FOLDER = Path(__file__).with_name("vocabulary")
_FOLDS = str.maketrans({chr(0x451): chr(0x435), chr(0x2019): "'", chr(0x2018): "'", "_": " "})
_OPTIONAL = re.compile(r"\([^()]*\)\?| \?")
_LEADING_GROUP = re.compile(r"\(([^()]*)\)(\??)")


@cache
def vocabulary(name: str) -> Any:  # noqa: ANN401  JSON: its readers know its shape
    """Return the parsed `vocabulary/<name>.json`; shared, so never change it."""
    return json.loads((_FOLDER / f"{name}.json").read_text(encoding="utf-8"))


def fold(text: str) -> str:
    """Return `text` in lower case with yo as ye, plain quotes and "_" as a space.

    It is of the same length: offsets stay valid.
    """
    low = text.lower()
    if len(low) != len(text):
        low = "".join(c.lower() if len(c.lower()) == 1 else c for c in text)
    return low.translate(_FOLDS)


def expand(pattern: str) -> str:
    """Return the regular expression that a data pattern stands for."""
    words = pattern.replace("*", r"\w{0,14}")
    words = words.replace("(", "(?:").replace("(?:?", "(?")  # only ours capture
    return words.replace(" ?", r"[\s\-]{0,3}").replace(" ", r"[\s\-]{1,3}")


class Scanner(Generic[Key]):
    """Knows which pattern begins at a word; the one with the most words, then letters, wins.

    Patterns are kept by their first two letters, so that most words of a text cost one look into
    a dictionary and the others a regular expression of a few alternatives.
    """

    def __init__(self, patterns: Iterable[tuple[str, Key]]) -> None:
        """Take (pattern, key) pairs."""
        pairs = [(plain, key) for pattern, key in patterns for plain in _unfold(pattern)]
        pairs.sort(key=lambda pair: (-_OPTIONAL.sub("", pair[0]).count(" "), -len(pair[0])))
        self._by_letter: dict[str, list[tuple[str, Key]]] = {}
        for pattern, key in pairs:
            self._by_letter.setdefault(pattern[0], []).append((pattern, key))
        self._heads = {row[0][:2] for rows in self._by_letter.values() for row in rows}
        self._buckets: dict[str, _Bucket[Key]] = {}

    def at(self, folded: str, start: int) -> tuple[Key, int] | None:
        """Return the key and the end of the pattern that begins at a word's `start`, if any."""
        head = folded[start : start + 2]
        bucket = self._buckets.get(head) or self._bucket(head)
        if not bucket.keys:
            return None
        match = bucket.regex.match(folded, start)
        return (bucket.keys[(match.lastindex or 1) - 1], match.end()) if match else None

    def _bucket(self, head: str) -> _Bucket[Key]:
        """Return the patterns that may match a text starting with `head`, compiled once."""
        head = head if head in self._heads else head[:1]
        head = head if head[:1] in self._by_letter else ""
        if head not in self._buckets:
            rows = [row for row in self._by_letter.get(head[:1], ()) if _may_begin(row[0], head)]
            body = "|".join(f"{expand(pattern)}(?!\\w)()" for pattern, _ in rows)
            self._buckets[head] = _Bucket(re.compile(body), tuple(key for _, key in rows))
        return self._buckets[head]


@dataclass(frozen=True)
class _Bucket(Generic[Key]):
    """The patterns that may begin with the same two characters; a group ends each of them."""

    regex: re.Pattern[str]
    keys: tuple[Key, ...]


def _may_begin(pattern: str, head: str) -> bool:
    """Tell whether a text that starts with `head` may match; unsure means yes."""
    second, quantifier = pattern[1:2], pattern[2:3]
    fixed = second.isalpha() and quantifier not in ("?", "*")
    return not fixed or second == head[1:]


def _unfold(pattern: str) -> list[str]:
    """Write a leading (a|b) or (a )? out, so that every pattern begins with a letter."""
    match = _LEADING_GROUP.match(pattern)
    if not match:
        return [pattern]
    heads = [*match[1].split("|"), *([""] if match[2] else [])]
    return [plain for head in heads for plain in _unfold(head + pattern[match.end() :])]
