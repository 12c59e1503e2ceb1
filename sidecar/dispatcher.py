"""The worker inside this process: takes jobs from the queue and gives them to their backends.

It leases only what there is room for, so that the rest stays queued, where it can be ordered, moved
and canceled. Knows the queue, the media store, rooms and backends as protocols. Must not know HTTP
or SQLite.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Collection, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from .attempt import Attempt, Stop
from .backends.base import Backend
from .bus import EventBus
from .disk import report
from .jobs import JobQueue, Lease
from .limits import Limits, not_started, took_too_long
from .media import MediaStore
from .observe.context import about
from .room import Room, Seat

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Lane:
    """A kind of job, the backend that runs it, where it runs, and how long it may take."""

    name: str
    backend: Backend
    room: Room
    limits: Limits = field(default_factory=Limits)


@dataclass(frozen=True)
class Pace:
    """How long a lease holds, how often it is renewed, how long to wait for work; in seconds."""

    lease_s: float = 30.0
    tick_s: float = 0.5
    wait_s: float = 2.0
    blocked_s: float = 0.25  # between two looks while some jobs can't run
    sweep_s: float = 5.0  # between two looks for leases and jobs whose time is over


class Dispatcher:
    """Runs what the lanes' queues hold until it is closed."""

    def __init__(
        self,
        queue: JobQueue,
        media: MediaStore,
        worker_id: str,
        pace: Pace | None = None,
        bus: EventBus | None = None,
    ) -> None:
        self._queue = queue
        self._media = media
        self._worker_id = worker_id
        self._pace = pace or Pace()
        self._bus = bus
        self._running: dict[Attempt, asyncio.Task[None]] = {}
        self._loops: list[asyncio.Task[None]] = []
        self._closed = False

    @asynccontextmanager
    async def serving(self, lanes: Sequence[Lane]) -> AsyncGenerator[None, None]:
        """Take and run jobs for the time of the block; at its end they go back to the queue."""
        self._loops = [asyncio.create_task(self._serve(lane), name=lane.name) for lane in lanes]
        self._loops.append(asyncio.create_task(self._sweep(lanes), name="sweep"))
        try:
            yield
        finally:
            await self.take_no_more()
            await self._give_back()

    async def take_no_more(self) -> None:
        """Begin no further jobs; those that run go on."""
        self._closed = True
        for loop in self._loops:
            loop.cancel()
        await asyncio.gather(*self._loops, return_exceptions=True)

    async def _give_back(self) -> None:
        for attempt in list(self._running):
            attempt.stop(Stop.CLOSING)
        await asyncio.gather(*self._running.values(), return_exceptions=True)
        await self._queue.reap(self._worker_id)

    async def _adopt(self, lane: Lane) -> None:
        """Go on with what a killed forerunner ran: what it began elsewhere may be going on.

        What was tried too often is not given to us; it is reaped when its lease runs out.
        """
        try:
            leases = await self._queue.adopt(self._worker_id, lane.name, lease_s=self._pace.lease_s)
        except Exception as error:  # noqa: BLE001  an edge: their leases run out, then they are queued again
            report(log, error, "the jobs of an earlier process can't be taken over")
            return
        for lease in leases:
            await self._place(lane, lease)

    async def _serve(self, lane: Lane) -> None:
        await self._adopt(lane)
        while not self._closed:
            await lane.room.free()
            skip = lane.room.blocked()
            lease = await self._next(lane.name, skip)
            if lease is not None:
                await self._place(lane, lease)
            elif skip:
                await lane.room.changed(self._pace.blocked_s)

    async def _next(self, lane: str, skip: Collection[str]) -> Lease | None:
        pace = self._pace
        try:
            return await self._queue.lease(
                self._worker_id,
                lane,
                lease_s=pace.lease_s,
                wait_s=0.0 if skip else pace.wait_s,
                skip=skip,
            )
        except Exception as error:  # noqa: BLE001  an edge: a full disk must not end the work for ever
            report(log, error, "the queue can't be read; trying again")
            await asyncio.sleep(pace.wait_s)
            return None

    async def _place(self, lane: Lane, lease: Lease) -> None:
        """Run it where there is room; else it waits on in the queue."""
        seat = None if self._closed else lane.room.take(lease.job)
        if seat is not None:
            self._start(lane, lease, seat)
            return
        try:
            await self._queue.release(lease)
        except Exception as error:  # noqa: BLE001  an edge: its lease runs out, then it is queued again
            report(log, error, "job %s could not be put back", lease.job.id)
        await lane.room.changed(self._pace.blocked_s)

    def _start(self, lane: Lane, lease: Lease, seat: Seat) -> None:
        pace = self._pace
        attempt = Attempt(
            lease,
            self._queue,
            lease_s=pace.lease_s,
            tick_s=pace.tick_s,
            server=seat.server,
            bus=self._bus,
        )
        task = asyncio.create_task(self._attend(lane.backend, attempt), name=lease.job.id)
        self._running[attempt] = task

        def ended(_: asyncio.Task[None]) -> None:
            del self._running[attempt]
            seat.leave()

        task.add_done_callback(ended)

    async def _attend(self, backend: Backend, attempt: Attempt) -> None:
        """Run one attempt; whatever it made is deleted unless it is of use."""
        job = attempt.job
        with about(job.spec.request_id, job.id):
            try:
                kept = await attempt.run(backend)
                if not kept:
                    await self._media.delete_prefix(attempt.outputs_prefix)
            except Exception as error:  # noqa: BLE001  an edge: one job must not stop the others
                report(log, error, "job %s could not be settled", job.id)

    async def _sweep(self, lanes: Sequence[Lane]) -> None:
        """End leases and jobs whose time is over."""
        while True:
            await asyncio.sleep(self._pace.sweep_s)
            try:
                await self._queue.reap()
                for lane in lanes:
                    await self._overdue(lane)
            except Exception as error:  # noqa: BLE001  an edge: a full disk must not end the sweeping for ever
                report(log, error, "jobs whose time is over could not be ended; trying again")

    async def _overdue(self, lane: Lane) -> None:
        start_s, total_s = lane.limits.start_s, lane.limits.total_s
        now = time.time()
        if start_s is not None:
            error = not_started(start_s)
            await self._queue.overdue(lane.name, error, created_before=now - start_s)
        if total_s is not None:
            error = took_too_long(total_s)
            await self._queue.overdue(lane.name, error, started_before=now - total_s)
