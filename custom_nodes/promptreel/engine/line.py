"""A clause's tokens as the parser looks at them: which are soft, what follows, where a camera is.

A token is soft if a camera's clause may hold it without becoming about something else; the others
are hard. Must not decide what moves the camera: `phrases` does.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache

from .tokens import Token, words

_SOFT = frozenset(("speed", "direction", "camera", "frame", "duration", "opening", "negation"))
_PREPOSITIONS = frozenset(("preposition", "wide_preposition"))
_LEADING = frozenset(("in", "toward", "away", "around", "along"))  # directions
_SEEING = frozenset(("camera", "frame"))
_THINGS = frozenset(("word", "not_camera", "rig"))
_CAMERA_AFTER = 3  # tokens from a move to its camera: "pan of the camera"


@dataclass
class Line:
    """The tokens of one clause.

    `cameras`: the places of cameras and frames; `used`: those of the moves found so far, which
    turn soft.
    """

    tokens: Sequence[Token]
    folded: str
    soft: list[bool]
    cameras: list[int]
    used: list[int] = field(default_factory=list[int])

    @classmethod
    def of(cls, tokens: Sequence[Token], folded: str, *, camera: bool) -> Line:
        """Read the tokens; `camera`: the clause goes on about a camera, so "it" is soft."""
        soft = [
            token.kind in _SOFT or "filler" in token.roles or (camera and "pronoun" in token.roles)
            for token in tokens
        ]
        cameras = [j for j, token in enumerate(tokens) if token.kind in _SEEING]
        line = cls(tokens, folded, soft, cameras)
        for j, token in enumerate(tokens):
            if token.kind == "rig" and line.leads(j):
                soft[j] = True
                cameras.append(j)
        return line

    def use(self, i: int) -> None:
        """Note that the token at `i` is a move of the camera."""
        self.soft[i] = True
        self.used.append(i)

    def leads(self, i: int) -> bool:
        """Tell whether the token opens the line, and isn't any one of its kind ("a drone")."""
        return self.hard(0, i) == 0 and not (i and self.text(i - 1) in words("handles"))

    def text(self, i: int) -> str:
        """Return the token's folded words."""
        return self.folded[self.tokens[i].start : self.tokens[i].end]

    def next(self, i: int) -> Token | None:
        """Return the token after the one at `i`."""
        return self.tokens[i + 1] if i + 1 < len(self.tokens) else None

    def hard(self, start: int, end: int) -> int:
        """Count the hard tokens in start..end."""
        return self.soft[start:end].count(False)

    def is_about_camera(self, i: int) -> bool:
        """Tell whether the token is soft, or a small word such as a preposition."""
        return self.soft[i] or bool(self.tokens[i].roles)

    def is_named(self, i: int) -> bool:
        """Tell whether an article makes the word at `i` a noun: "a pan"."""
        return any("determiner" in token.roles for token in self.tokens[:i])

    def ends_after(self, i: int) -> bool:
        """Tell whether nothing follows `i` that takes it over ("left | side")."""
        following = self.next(i)
        return following is None or is_open(following) or "preposition" in following.roles

    def has_subject(self, i: int) -> bool:
        """Tell whether a verb at `i` has a subject that is no picture: "the car | zooms in"."""
        if form(self.text(i)) != "finite":
            return False
        j = next((j for j in range(i - 1, -1, -1) if not self.soft[j]), None)
        if j is None or self.tokens[j].roles or self.text(j) in words("seers"):
            return False
        return self.tokens[j].kind in _THINGS

    def has_object(self, i: int) -> bool:
        """Tell whether the verb at `i` is done to a thing: "pulls out | a drawer"."""
        following = self.next(i)
        if following is None or following.kind != "word" or self.hard(i + 2, i + 3) == 0:
            return False
        return self.text(i + 1) in words("handles")

    def is_somewhere(self, i: int) -> bool:
        """Tell whether somebody does it at a place: "people push in | the crowd"."""
        following = self.next(i)
        placed = following is not None and "determiner" in following.roles
        return placed and self.hard(0, i) > 0

    def has_more(self, i: int) -> bool:
        """Tell whether the line goes on about something behind the noun at `i`."""
        announced = any(token.kind == "opening" for token in self.tokens[:i])
        return not announced and self.hard(i + 1, len(self.tokens)) > 0

    def is_owned(self, i: int) -> bool:
        """Tell whether the noun at `i` is something's, and not a camera's: "a roll | of film"."""
        following = self.next(i)
        return following is not None and self.text(i + 1) in words("owners") and not self.cameras

    def is_bare(self, i: int) -> bool:
        """Tell whether nothing but soft words stands beside `i`; a noun needs "start with"."""
        announced = any(token.kind == "opening" for token in self.tokens)
        named = self.is_named(i) and not announced
        others = self.hard(0, i) + self.hard(i + 1, len(self.tokens))
        return not named and others == 0 and form(self.text(i)) == "base"

    def camera_before(self, i: int) -> int | None:
        """Return the place of the last camera before `i` that does something, or a frame's."""
        for j in reversed(self.cameras):
            near = self.tokens[j].kind == "camera" or self.hard(j + 1, i) == 0 or self._begins(j)
            if j < i and near and not self._is_object(j):
                return j
        return None

    def _begins(self, j: int) -> bool:
        """Tell whether the frame at `j` is a shot that goes on: "the shot | opens on"."""
        return j + 1 < len(self.tokens) and self.text(j + 1) in words("frame_verbs")

    def camera_after(self, i: int) -> bool:
        """Tell whether the move at `i` has its camera behind it: "pan of the camera"."""
        for j in range(i + 1, min(i + 1 + _CAMERA_AFTER, len(self.tokens))):
            if self.tokens[j].kind == "camera":
                return True
            if not self.soft[j]:
                return False
        return False

    def _is_object(self, j: int) -> bool:
        before = [t for t in self.tokens[max(0, j - 2) : j] if "determiner" not in t.roles]
        return bool(before) and is_preposition(before[-1])


def is_preposition(token: Token) -> bool:
    """Tell whether a token is a preposition of any kind; some are known as directions."""
    return token.key in _LEADING or not _PREPOSITIONS.isdisjoint(token.roles)


def is_open(token: Token) -> bool:
    """Tell whether the token before this one stays a move: it isn't a noun that takes it over."""
    plain = "filler" in token.roles and not is_preposition(token)
    return token.kind in _SOFT or (plain and "determiner" not in token.roles)


def form(word: str) -> str:
    """Return "finite" (moves), "ing" (moving) or "base" (move, a move) for a verb or noun."""
    first = word.partition(" ")[0]
    shapes = ((name, _compiled(pattern)) for name, pattern in words("forms").items())
    return next((name for name, pattern in shapes if pattern.search(first)), "base")


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)
