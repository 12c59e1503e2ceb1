"""Asking a server that may be away for a while: it may be restarting."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar

from .errors import Unreachable

log = logging.getLogger(__name__)
T = TypeVar("T")

_FIRST_S, _LONGEST_S = 0.1, 2.0  # pauses between two tries


class Patience:
    """Asks until there is an answer, for as long as the server may be away."""

    def __init__(self, away_s: float) -> None:
        self._away_s = away_s

    async def ask(self, question: Callable[[], Awaitable[T]]) -> T:
        """Return the answer. Raises what else goes wrong, and Unreachable in the end."""
        loop = asyncio.get_running_loop()
        pause, end, told = _FIRST_S, loop.time() + self._away_s, False
        while True:
            try:
                return await question()
            except Unreachable as error:
                if loop.time() + pause > end:
                    raise
                if not told:
                    log.warning("%s Waiting up to %.0f s for it.", error, self._away_s)
                told = True
            await asyncio.sleep(pause)
            pause = min(pause * 2, _LONGEST_S)
