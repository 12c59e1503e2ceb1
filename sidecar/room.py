"""Room for jobs: what a worker asks before it leases one, so that what can't run now stays queued.

Knows jobs. Must not know queues, or what runs a job.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from typing import Protocol

from .jobs import Job
from .waiting import happened


class Seat:
    """A running job's place; `server` is the ComfyUI it is at, blank where none is needed."""

    def __init__(self, server: str, left: Callable[[], None]) -> None:
        self.server = server
        self._left: Callable[[], None] | None = left

    def leave(self) -> None:
        """Give the place back; once is enough."""
        left, self._left = self._left, None
        if left is not None:
            left()


class Room(Protocol):
    """Where a lane's jobs run."""

    async def free(self) -> None:
        """Wait until it makes sense to look for a job."""
        ...

    def blocked(self) -> Collection[str]:
        """Return the routes (`JobSpec.route`) of jobs that there is no room for now."""
        ...

    def take(self, job: Job) -> Seat | None:
        """Give the job a place; None if there is none for it now."""
        ...

    async def changed(self, timeout_s: float) -> None:
        """Wait until something got free, or the time-out."""
        ...


class Slots:
    """Room for a number of jobs, whichever they are."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._taken: set[str] = set()
        self._changed = Changes()

    async def free(self) -> None:
        """Wait for a slot."""
        while len(self._taken) >= self._count:
            await self._changed.wait(None)

    def blocked(self) -> Collection[str]:
        """Return nothing: a slot takes every job."""
        return ()

    def take(self, job: Job) -> Seat | None:
        """Take a slot."""
        if len(self._taken) >= self._count:
            return None
        self._taken.add(job.id)
        return Seat("", lambda: self._back(job.id))

    async def changed(self, timeout_s: float) -> None:
        """Wait until a slot got free, or the time-out."""
        await self._changed.wait(timeout_s)

    def _back(self, job_id: str) -> None:
        self._taken.discard(job_id)
        self._changed.tell()


class Changes:
    """Wakes everybody who waits, each time."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def tell(self) -> None:
        """Wake those who wait now."""
        self._event.set()
        self._event = asyncio.Event()

    async def wait(self, timeout_s: float | None) -> None:
        """Wait for the next change, or the time-out."""
        await happened(self._event, timeout_s)
