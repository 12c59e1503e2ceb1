"""A bell for each job: rung when it changes, heard by whoever waits for it in this process.

Only a hint, and lossy: who hears it reads the store, which is the truth. Knows nothing of jobs.
"""

from __future__ import annotations

import asyncio
from collections.abc import Generator
from contextlib import contextmanager


class Bell:
    """Rings by name; the same bell serves all jobs."""

    def __init__(self) -> None:
        self._listeners: dict[str, set[asyncio.Event]] = {}

    def ring(self, name: str) -> None:
        """Wake those who listen to this name; never blocks."""
        for event in self._listeners.get(name, ()):
            event.set()

    def ring_all(self) -> None:
        """Wake everybody: the service is closing."""
        for name in self._listeners:
            self.ring(name)

    @contextmanager
    def listen(self, name: str) -> Generator[asyncio.Event, None, None]:
        """Give an event that is set at each ring; the listener clears it."""
        event = asyncio.Event()
        self._listeners.setdefault(name, set()).add(event)
        try:
            yield event
        finally:
            listeners = self._listeners[name]
            listeners.discard(event)
            if not listeners:
                del self._listeners[name]


async def heard(event: asyncio.Event, timeout_s: float) -> bool:
    """Wait for a ring and clear it; False after the time-out."""
    try:
        await asyncio.wait_for(event.wait(), timeout_s)
    except asyncio.TimeoutError:
        return False
    event.clear()
    return True
