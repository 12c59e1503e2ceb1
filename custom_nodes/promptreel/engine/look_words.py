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
    at = denied = 0
    for part in parts:
        name = tag_of(folded[part.start : part.end]) if len(part.tokens) <= _LONGEST_TAG else None
        if name:
            yield Mention(name, part.start, part.tagged)
        for token in part.tokens:
            hit = _scanner().at(folded, token.start) if token.start >= at else None
            if hit:
                is_denied = _is_denied(folded, token.start, hit[1], denied)
                at, denied = hit[1], hit[1] if is_denied else denied
                if hit[0] and not is_denied:
                    yield Mention(hit[0], token.start, part.tagged)


def _is_denied(folded: str, start: int, end: int, denied: int) -> bool:
    """Tell whether "no" stands before, "is not needed" behind, or "no fog or | rain" goes on.

    `denied`: where the look before that was denied ends; 0: it was not.
    """
    before, near, after, on = _negated()
    goes_on = denied and on.fullmatch(folded, denied, start)
    leading = near if _placed().match(folded, start) else before  # "no people | at night"
    said = leading.search(folded, max(0, start - _BEFORE), start) or after.match(folded, end)
    return bool(goes_on or said)


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
def _negated() -> tuple[re.Pattern[str], ...]:
    """Return what denies a look: before it, right before it, behind it, from the one before."""
    said = "|".join(map(expand, (*words("negation"), *words("look_negation"))))
    near = rf"(?<!\w)(?:{said})\s+"
    found = (f"{near}(?:{words('look_gap')})?$", f"{near}$")
    return tuple(map(re.compile, (*found, words("denied_after"), words("denial_goes_on"))))


@cache
def _placed() -> re.Pattern[str]:
    return re.compile(words("look_place"))
