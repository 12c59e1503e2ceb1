"""Writes out what the vocabulary's patterns stand for, so that tests can say each of them.

Knows the pattern language of `lexicon.expand`: letters, (a|b), ?, [ab], a space, *.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import product

_PIECES = re.compile(r"\(([^()]*)\)(\??)|\[([^\]]*)\](\??)|([^()\[\]?])(\??)")
MOST = 400  # of one pattern's forms


def forms(pattern: str) -> list[str]:
    """Return the texts that a pattern stands for (words that end in * without an ending)."""
    texts = (" ".join(text.split()) for text in _forms(pattern))
    return list(dict.fromkeys(texts))[:MOST]


def _forms(pattern: str) -> Iterator[str]:
    pieces = [_choices(match) for match in _PIECES.finditer(pattern.replace("*", ""))]
    for chosen in product(*pieces):
        yield "".join(chosen)


def _choices(match: re.Match[str]) -> list[str]:
    group, group_optional, letters, letters_optional, letter, letter_optional = match.groups()
    if group is not None:
        return [form for part in group.split("|") for form in _forms(part)] + (
            [""] if group_optional else []
        )
    if letters is not None:
        return [*letters, *([""] if letters_optional else [])]
    return [letter, *([""] if letter_optional else [])]
