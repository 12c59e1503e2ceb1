"""Large JSON read in small steps, so that a thread which reads it leaves the others their turn.

`json.loads` is one step of C that nobody can interrupt: 6 MB of node classes would hold up the
event loop for 100 ms and more, from whatever thread. Pure.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

_DECODER = json.JSONDecoder()
_SPACE = re.compile(r"[ \t\n\r]*")
_DEPTH = 2  # levels that are taken apart; what lies deeper is small


def loads(text: str) -> object:
    """Return what the JSON means. Raises ValueError."""
    reader = _Reader(text)
    value = reader.value(_DEPTH)
    reader.check_end()
    return value


def names(text: str) -> Iterator[str]:
    """Give the names of the object's members; their values are read and dropped.

    Raises ValueError for anything but an object, where it goes wrong.
    """
    reader = _Reader(text)
    if not reader.took("{"):
        raise ValueError("not an object")
    for name, _ in reader.entries("}", 0):
        yield name
    reader.check_end()


class _Reader:
    """A place in a text, which only moves on."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0

    def value(self, depth: int) -> object:
        """Read the next value; objects and lists of so many levels are taken apart."""
        if depth and self.took("{"):
            return dict(self.entries("}", depth - 1))
        if depth and self.took("["):
            return [value for _, value in self.entries("]", depth - 1)]
        self._skip()
        value, self._at = _DECODER.raw_decode(self._text, self._at)
        return value

    def entries(self, closing: str, depth: int) -> Iterator[tuple[str, object]]:
        """Give the members of an object ("}"), or the items of a list, up to its end."""
        if self.took(closing):
            return
        while True:
            name = self._name() if closing == "}" else ""
            yield name, self.value(depth)
            if self.took(closing):
                return
            self._expect(",")

    def took(self, mark: str) -> bool:
        """Go past the mark if it comes next."""
        self._skip()
        here = self._text.startswith(mark, self._at)
        self._at += len(mark) * here
        return here

    def check_end(self) -> None:
        """Raise ValueError if there is more."""
        self._skip()
        if self._at != len(self._text):
            raise ValueError(f"more follows at {self._at}")

    def _name(self) -> str:
        name = self.value(0)
        if not isinstance(name, str):
            raise ValueError(f"a member has no name at {self._at}")  # noqa: TRY004  as json
        self._expect(":")
        return name

    def _expect(self, mark: str) -> None:
        if not self.took(mark):
            raise ValueError(f"{mark!r} is missing at {self._at}")

    def _skip(self) -> None:
        found = _SPACE.match(self._text, self._at)
        self._at = self._at if found is None else found.end()
