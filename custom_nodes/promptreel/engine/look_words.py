"""Finds the looks that a text names: "at night", "[sepia]", their Russian forms.

Knows the words of `vocabulary/looks.json`. Must not know what a look does to a picture: `look`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from .lexicon import Scanner, expand, vocabulary
from .tokens import Part, words

_TAG = re.compile(r"\w+")
_LONGEST_TAG = 3  # tokens
_BEFORE = 32  # characters before a look in which a negation counts


@dataclass(frozen=True)
class Mention:
    """A look named at `start` of the text. `tagged`: in square brackets, which wins."""

    look: str
    start: int
    tagged: bool = False


def find_looks(folded: str, parts: Sequence[Part]) -> tuple[str, ...]:
    """Return the names of the looks that go together, in the order of the text.

    Of several that exclude one another (night, sunset), a tag wins, then what is said last.
    """
    mentions = sorted(_mentions(folded, parts), key=lambda found: (found.tagged, found.start))
    chosen: dict[str, Mention] = {}
    for mention in mentions:
        group = looks()[mention.look]["group"]
        chosen[group] = mention
    names = [found.look for found in sorted(chosen.values(), key=lambda found: found.start)]
    dropped = {name for look in names for name in looks()[look].get("drops", ())}
    return tuple(name for name in names if name not in dropped)


def tag_of(text: str) -> str | None:
    """Return the look that a short text alone stands for ("warm tones"), if any."""
    return _tags().get(" ".join(w for w in _TAG.findall(text) if w not in words("tag_words")))


def names_look(folded: str, part: Part) -> bool:
    """Tell whether a part in brackets names a look."""
    return any(True for _ in _mentions(folded, [part]))


def looks() -> dict[str, Any]:
    """Return the rows of `looks.json` by name."""
    return vocabulary("looks")


def _mentions(folded: str, parts: Sequence[Part]) -> Iterator[Mention]:
    at = 0
    for part in parts:
        name = tag_of(folded[part.start : part.end]) if len(part.tokens) <= _LONGEST_TAG else None
        if name:
            yield Mention(name, part.start, part.tagged)
        for token in part.tokens:
            hit = _scanner().at(folded, token.start) if token.start >= at else None
            if hit:
                at = hit[1]
                if hit[0] and not _is_denied(folded, token.start):
                    yield Mention(hit[0], token.start, part.tagged)


def _is_denied(folded: str, start: int) -> bool:
    return _negated().search(folded, max(0, start - _BEFORE), start) is not None


@cache
def _scanner() -> Scanner[str]:
    rows = [(says, name) for name, row in looks().items() for says in row["says"]]
    return Scanner([*rows, *((says, "") for says in words("not_look"))])


@cache
def _tags() -> dict[str, str]:
    return {
        " ".join(_TAG.findall(tag)): name for name, row in looks().items() for tag in row["tags"]
    }


@cache
def _negated() -> re.Pattern[str]:
    said = "|".join(map(expand, words("negation")))
    return re.compile(rf"(?<!\w)(?:{said})\s+(?:\w+\s+)?$")
