"""Cuts a text into tokens and the tokens into parts (what stands between commas and "then").

Knows the word lists of the vocabulary. Must not decide what the camera does: `motion` does.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache, lru_cache
from typing import Any, NamedTuple

from .durations import Duration, find_durations
from .lexicon import Scanner, expand, vocabulary

DIRECTIONS = (
    "left", "right", "up", "down", "forward", "back", "in", "out", "away", "toward", "around",
    "along", "cw", "ccw",
)  # fmt: skip
_SCANNED = (
    "camera", "rig", "frame", "not_camera", "negation", "sequence", "opening", "together",
    *DIRECTIONS,
)  # fmt: skip
_ARROW, _SEPARATOR, _WORD = 1, 2, 3  # groups of the word pattern
_ROLES = (
    "filler", "join", "pair", "relative", "or", "preposition", "wide_preposition", "determiner",
    "pronoun",
)  # fmt: skip


class Token(NamedTuple):
    """One word or known phrase at `start`..`end` of the folded text.

    `kind`: action, speed, direction, camera, rig, frame, not_camera, negation, sequence, opening,
    together, duration or word; `key`: the row it stands for (a word: the word itself).
    """

    kind: str
    key: str
    start: int
    end: int
    duration: Duration | None = None
    roles: frozenset[str] = frozenset()  # the lists of `words.json` that a plain word belongs to


@dataclass
class Part:
    """Tokens between two separators.

    `follows`: a sequence word or arrow stands before it; `lead`: that word, if it leads the
    sentence or turns the order around ("after zooming in"); `tagged`: it stands in square
    brackets; `spoken`: somebody says it; `plain`: it holds nothing but words, so it can't move a
    camera.
    """

    start: int
    end: int = 0
    tokens: list[Token] = field(default_factory=list[Token])
    follows: bool = False
    lead: str = ""
    new_sentence: bool = True
    tagged: bool = False
    spoken: bool = False
    plain: bool = True


def cut(folded: str) -> list[Part]:
    """Return the parts of a folded text; empty ones are left out."""
    parts: list[Part] = []
    part = Part(0)
    for token in _tokens(folded):
        if token.kind != "separator" and token.kind != "sequence":
            part.tokens.append(token)
            part.plain = part.plain and token.kind == "word"
            continue
        part.end = token.start
        following = _next_part(part, token, folded[token.start : token.end])
        if part.tokens:
            parts.append(part)
        part = following
    part.end = len(folded)
    parts += [part] if part.tokens else []
    return _marked(parts, folded)


def _next_part(part: Part, token: Token, text: str) -> Part:
    """Return the empty part after separator `token`, keeping what an empty `part` announced."""
    follows = token.kind == "sequence"
    ends = not follows and token.key in words("sentence_ends")
    if part.tokens:
        lead = text if token.key == "earlier" else ""
        return Part(token.end, follows=follows, lead=lead, new_sentence=ends)
    first = ends or part.new_sentence
    lead = text if follows and first else part.lead
    return Part(token.end, follows=follows or part.follows, lead=lead, new_sentence=first)


def _marked(parts: list[Part], folded: str) -> list[Part]:
    """Mark the parts that stand in brackets, and in quotation marks unless the text begins so."""
    tags = _inside(words("tag"), folded) if "[" in folded or "<" in folded else []
    speech = _inside(words("speech"), folded)
    for part in parts if tags else ():
        part.tagged = _holds(tags, part)
    for part in parts if speech else ():
        part.spoken = speech[0][0] > parts[0].start and _holds(speech, part)
    return parts


def _inside(pattern: str, folded: str) -> list[tuple[int, int]]:
    return [match.span() for match in re.finditer(pattern, folded)]


def _holds(spans: list[tuple[int, int]], part: Part) -> bool:
    k = bisect_right(spans, (part.start, len(spans) + part.end)) - 1
    return k >= 0 and part.end <= spans[k][1]


def _tokens(folded: str) -> Iterator[Token]:
    """Yield the tokens of `folded`, left to right, never overlapping.

    A word that could lead a length belongs to what stands before it: "zoom in | 4 seconds".
    """
    durations = iter(find_durations(folded))
    duration, at, find = next(durations, None), 0, _scanner().at
    numbered = re.match(words("numbered"), folded) is not None
    for match in _word(numbered=numbered).finditer(folded):
        start, end = match.span()
        if start < at:
            continue
        if duration and start >= duration.start:
            token = Token("duration", "", start, duration.end, duration)
            duration = next(durations, None)
        elif match.lastindex != _WORD:
            kind = "sequence" if match.lastindex == _ARROW else "separator"
            token = Token(kind, match[0].strip()[:1] or "\n", start, end)
        elif (hit := find(folded, start)) and not (duration and hit[1] > duration.led):
            token = Token(*hit[0], start, hit[1])
        else:
            text = match[0]
            token = Token("word", text, start, end, None, _roles(text))
        at = token.end
        yield token


@cache
def words(name: str) -> Any:  # noqa: ANN401  a string or a list of patterns
    """Return a row of `words.json`."""
    return vocabulary("words")[name]


@lru_cache(maxsize=8192)
def _roles(word: str) -> frozenset[str]:
    adverb = len(word) > 4 and word.endswith("ly") and word not in words("not_adverbs")
    measure = word[0].isdigit() and re.fullmatch(words("measure"), word)
    found = {role for role, pattern in _role_patterns() if pattern.fullmatch(word)}
    return frozenset(found | {"filler"} if adverb or measure else found)


@cache
def _role_patterns() -> tuple[tuple[str, re.Pattern[str]], ...]:
    return tuple((role, re.compile("|".join(map(expand, words(role))))) for role in _ROLES)


@cache
def _word(*, numbered: bool) -> re.Pattern[str]:
    """Return what a token may be; `numbered`: the text is a list, "1. ... 2. ..."."""
    arrows = "|".join(map(re.escape, words("arrows")))
    arrows += r"|(?<![\w.,])\d{1,2}[.)](?=\s)" if numbered else ""
    separators = re.escape(words("separators"))
    word = rf"{words('measure')}(?!\w)|\w+(?:'\w+)?"
    return re.compile(rf"({arrows})|(\s-\s|[{separators}])|({word})")


@cache
def _scanner() -> Scanner[tuple[str, str]]:
    """Return the one scanner of everything that a camera's part of a text may hold."""
    rows = [(says, ("action", str(i))) for i, row in enumerate(actions()) for says in row["says"]]
    rows += [(says, ("speed", str(i))) for i, row in enumerate(speeds()) for says in row["says"]]
    for name in _SCANNED:
        key = ("direction", name) if name in DIRECTIONS else (name, "")
        rows += [(pattern, key) for pattern in words(name)]
    rows += [(pattern, ("sequence", "earlier")) for pattern in words("earlier")]
    return Scanner(rows)


def actions() -> list[dict[str, Any]]:
    """Return the rows of `actions.json`; an action token's key is an index into them."""
    return vocabulary("actions")


def speeds() -> list[dict[str, Any]]:
    """Return the rows of `speeds.json`; a speed token's key is an index into them."""
    return vocabulary("speeds")
