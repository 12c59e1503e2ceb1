"""The worker inside this process: takes jobs from the queue and gives them to their backends.

Knows the queue, the media store and backends as protocols. Must not know HTTP or SQLite.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from .attempt import Attempt, Stop
from .backends.base import Backend
from .jobs import JobQueue, Lease
from .media import MediaStore

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Lane:
    """A kind of job, the backend that runs it, and how many run at once."""

    name: str
    backend: Backend
    slots: int


@dataclass(frozen=True)
class Pace:
    """How long a lease holds, how often it is renewed, how long to wait for work; in seconds."""

    lease_s: float = 30.0
    tick_s: float = 0.5
    wait_s: float = 2.0


class Dispatcher:
    """Runs what the lanes' queues hold until it is closed."""

    def __init__(
        self, queue: JobQueue, media: MediaStore, worker_id: str, pace: Pace | None = None
    ) -> None:
        self._queue = queue
        self._media = media
        self._worker_id = worker_id
        self._pace = pace or Pace()
        self._running: dict[Attempt, asyncio.Task[None]] = {}

    @asynccontextmanager
    async def serving(self, lanes: Sequence[Lane]) -> AsyncGenerator[None, None]:
        """Take and run jobs for the time of the block; at its end they go back to the queue."""
        await self._queue.reap(self._worker_id)
        loops = [asyncio.create_task(self._serve(lane), name=lane.name) for lane in lanes]
        try:
            yield
        finally:
            for loop in loops:
                loop.cancel()
            await asyncio.gather(*loops, return_exceptions=True)
            await self._give_back()

    async def _give_back(self) -> None:
        for attempt in list(self._running):
            attempt.stop(Stop.CLOSING)
        await asyncio.gather(*self._running.values(), return_exceptions=True)
        await self._queue.reap(self._worker_id)

    async def _serve(self, lane: Lane) -> None:
        slots = asyncio.Semaphore(lane.slots)
        while True:
            await slots.acquire()
            lease = await self._next(lane.name)
            if lease is None:
                slots.release()
            else:
                self._start(lane, lease, slots)

    async def _next(self, lane: str) -> Lease | None:
        pace = self._pace
        try:
            lease = await self._queue.lease(
                self._worker_id, lane, lease_s=pace.lease_s, wait_s=pace.wait_s
            )
            if lease is None:
                await self._queue.reap()
        except Exception:  # an edge: a full disk must not end the service's work for ever
            log.exception("the queue can't be read; trying again")
            await asyncio.sleep(pace.wait_s)
            return None
        return lease

    def _start(self, lane: Lane, lease: Lease, slots: asyncio.Semaphore) -> None:
        pace = self._pace
        attempt = Attempt(lease, self._queue, lease_s=pace.lease_s, tick_s=pace.tick_s)
        task = asyncio.create_task(self._attend(lane.backend, attempt), name=lease.job.id)
        self._running[attempt] = task

        def ended(_: asyncio.Task[None]) -> None:
            del self._running[attempt]
            slots.release()

        task.add_done_callback(ended)

    async def _attend(self, backend: Backend, attempt: Attempt) -> None:
        """Run one attempt; whatever it made is deleted unless it is the answer."""
        try:
            kept = await attempt.run(backend)
            if not kept:
                await self._media.delete_prefix(attempt.outputs_prefix)
        except Exception:  # an edge: one job must not stop the others
            log.exception("job %s could not be settled", attempt.job.id)
