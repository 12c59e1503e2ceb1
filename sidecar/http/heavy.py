"""Large bodies of forms, which are held in memory while they are read: there is room for a few.

Knows numbers of bytes only. A picture in a form (a data: URI) is text until it is stored.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

from sidecar.errors import TooManyRequests

_LIGHT = 1 << 20  # bytes of a body that are not counted
_AT_ONCE = 4  # of the largest bodies
_PATIENCE_S = 2


class Heavy:
    """Counts the bytes of bodies under way. `largest`: what one body may have."""

    def __init__(self, largest: int) -> None:
        self._largest = largest
        self._left = _AT_ONCE * largest

    @contextmanager
    def place(self, announced: int | None) -> Generator[None, None, None]:
        """Take the room that a body needs; all of it where its length is not announced.

        Raises TooManyRequests if there is too little.
        """
        weight = min(self._largest if announced is None else announced, self._largest)
        weight = 0 if weight <= _LIGHT else weight
        if weight > self._left:
            raise TooManyRequests(
                f"Too many large forms are being received: try again in {_PATIENCE_S} s, or send "
                "the picture to /api/upload.",
                code="too_many_uploads",
                details="Pictures inside of forms are held in memory, where there is room for few.",
                headers={"Retry-After": str(_PATIENCE_S)},
            )
        self._left -= weight
        try:
            yield
        finally:
            self._left += weight
