"""Asking a server that may be away for a while: it may be restarting.

Whoever follows the job is told so at once, and again when the server is back. Must not know jobs.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import TypeVar

from sidecar.values import Progress

from .errors import Unreachable

log = logging.getLogger(__name__)
T = TypeVar("T")

_FIRST_S, _LONGEST_S = 0.1, 2.0  # pauses between two tries


class Reporter:
    """Passes on how far a job is, and says in between that its server is waited for."""

    def __init__(self, report: Callable[[Progress], None], away_s: float) -> None:
        self._report = report
        self._away_s = away_s
        self._last = Progress()

    def __call__(self, progress: Progress) -> None:
        """Pass it on."""
        self._last = progress
        self._report(progress)

    def away(self, away: bool) -> None:
        """Say that the server does not answer, or how far the job was now that it does again."""
        said = f"ComfyUI does not answer: it is waited for, {self._away_s:g} s at most."
        waits = replace(self._last, message=said, step=None, steps=None)
        self._report(waits if away else self._last)


def _nobody(away: bool) -> None:
    """Hear nothing."""


class Patience:
    """Asks until there is an answer, for as long as the server may be away.

    `told` hears True when it begins to wait, and False when there is an answer after all.
    """

    def __init__(self, away_s: float, told: Callable[[bool], None] | None = None) -> None:
        self._away_s = away_s
        self._told = told or _nobody

    async def ask(self, question: Callable[[], Awaitable[T]]) -> T:
        """Return the answer. Raises what else goes wrong, and Unreachable in the end."""
        loop = asyncio.get_running_loop()
        pause, end, waits = _FIRST_S, loop.time() + self._away_s, False
        while True:
            try:
                answer = await question()
            except Unreachable as error:
                left = end - loop.time()
                if left <= 0:
                    raise
                if not waits:
                    log.warning("%s Waiting up to %.0f s for it.", error, self._away_s)
                    self._told(True)
                waits = True
            else:
                if waits:
                    self._told(False)
                return answer
            await asyncio.sleep(min(pause, left))
            pause = min(pause * 2, _LONGEST_S)
