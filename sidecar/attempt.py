"""One attempt at one job: the lease kept alive, the backend stopped when it must be.

Knows the queue and backends as protocols. Must not know HTTP, SQLite or what a backend does.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import time
from dataclasses import asdict, replace
from enum import Enum

from .backends.base import Backend, BackendError
from .bus import PREVIEW, EventBus, Preview
from .disk import report, trouble
from .jobs import Job, JobQueue, Lease, LeaseLost
from .values import GenerateRequest, JobError, Json, Outputs, Progress

log = logging.getLogger(__name__)

_UNFORESEEN = JobError(
    "internal_error",
    "The video could not be made because of a fault in the service.",
    "The service's log says more.",
)
_LONGEST_PAUSE_S = 90.0
_UNSTORED_S = 2.0  # between two tries to store how a job ended
_PREVIEW_S = 0.5  # between two pictures of what is being made
_JPEG = b"\xff\xd8\xff"


class Stop(Enum):
    """Why the backend was told to stop."""

    CANCELED = "canceled"
    CLOSING = "closing"
    LOST = "lost"


class Attempt:
    """The RunContext of one lease, and the one who settles how it ended."""

    def __init__(
        self,
        lease: Lease,
        queue: JobQueue,
        *,
        lease_s: float,
        tick_s: float,
        server: str = "",
        bus: EventBus | None = None,
    ) -> None:
        self._lease = lease
        self._bus = bus
        self._server = server
        self._shown_at = float("-inf")
        self._recorded = "outputs" in lease.job.ledger and bool(lease.job.ledger["outputs"])
        self._queue = queue
        self._lease_s = lease_s
        self._tick_s = tick_s
        self._progress = lease.job.progress
        self._stored = self._progress
        self._stop: Stop | None = None
        self._work: asyncio.Task[Outputs] | None = None

    @property
    def job(self) -> Job:
        """The job as it was leased."""
        return self._lease.job

    @property
    def request(self) -> GenerateRequest:
        """What is asked for."""
        return GenerateRequest(**self.job.spec.payload)

    @property
    def server(self) -> str:
        """The ComfyUI that was chosen for this attempt; blank where none is needed."""
        return self._server

    @property
    def canceled(self) -> bool:
        """Whether the backend is being stopped because the client wants it no more."""
        return self._stop is Stop.CANCELED

    def progress(self, progress: Progress) -> None:
        """Take note; the next tick stores it. `value` never goes back and 1 is kept for the end."""
        value = min(max(progress.value, self._progress.value), 0.99)
        self._progress = replace(progress, value=value)

    def preview(self, data: bytes, mime: str) -> None:
        """Show a picture of what is being made: JPEG only, and not too often."""
        now = time.monotonic()
        due = now - self._shown_at >= _PREVIEW_S
        if self._bus is not None and due and mime == "image/jpeg" and data.startswith(_JPEG):
            self._shown_at = now
            self._bus.publish(self.job.id, PREVIEW, Preview(data, mime))

    async def remember(self, ledger: Json, *, uncounted: bool = False) -> None:
        """Store the ledger before the next step. Raises LeaseLost."""
        await self._queue.extend(
            self._lease, lease_s=self._lease_s, ledger=ledger, uncounted=uncounted
        )
        self._recorded = bool(ledger.get("outputs"))

    def output_key(self, name: str) -> str:
        """Return the media key for an output of this attempt."""
        return f"{self.outputs_prefix}{name}"

    @property
    def outputs_prefix(self) -> str:
        """What the keys of all outputs of this attempt begin with."""
        return f"{self.job.id}-{self._lease.attempt}-"

    def stop(self, why: Stop) -> None:
        """Tell the backend to stop, once: a second cancel would cut its clean-up short."""
        if self._stop is None:
            self._stop = why
            if self._work is not None:
                self._work.cancel()

    async def run(self, backend: Backend) -> bool:
        """Run to the end and settle the job; False if what it made is of no use to anybody.

        Who lost the lease can't tell: whoever has it may have taken over the files.
        """
        self._work = asyncio.create_task(backend.run(self), name=f"job-{self.job.id}")
        if self._stop is not None:
            self._work.cancel()
        ticking = asyncio.create_task(self._tick(), name=f"lease-{self.job.id}")
        try:
            await asyncio.wait([self._work])
        finally:
            ticking.cancel()
            await asyncio.gather(ticking, return_exceptions=True)
        return await self._settled(self._work)

    async def _tick(self) -> None:
        """Keep the lease, store progress, and notice a cancel request or the loss of the lease."""
        while True:
            await asyncio.sleep(self._tick_s)
            changed = self._progress if self._progress != self._stored else None
            try:
                job = await self._queue.extend(self._lease, lease_s=self._lease_s, progress=changed)
            except LeaseLost:
                return self.stop(Stop.LOST)
            except sqlite3.Error as error:
                report(log, error, "job %s: the lease could not be extended", self.job.id)
                continue
            self._stored = changed or self._stored
            if job.cancel_requested:
                return self.stop(Stop.CANCELED)

    async def _settled(self, work: asyncio.Task[Outputs]) -> bool:
        """Store how it ended, as soon as the disk takes it."""
        while (kept := await self._try_to_settle(work)) is None:  # noqa: ASYNC110  no event tells
            await asyncio.sleep(_UNSTORED_S)
        return kept

    async def _try_to_settle(self, work: asyncio.Task[Outputs]) -> bool | None:
        """Store how it ended; None if the disk does not take it now."""
        try:
            return await self._settle(work)
        except LeaseLost:
            log.warning("job %s: another attempt took over", self.job.id)
            return True
        except sqlite3.Error as error:
            if trouble(error) is None or self._stop is Stop.CLOSING:
                raise
            report(log, error, "job %s: its end can't be stored yet", self.job.id)
            return None

    async def _settle(self, work: asyncio.Task[Outputs]) -> bool:
        if work.cancelled():
            return await self._stopped()
        error = work.exception()
        if error is None:
            job = await self._queue.complete(self._lease, asdict(work.result()))
            took = (job.finished_at or 0.0) - (job.started_at or 0.0)
            log.info("job %s: %s made in %.1f s", job.id, self.request.pipeline, took)
            return True
        found = trouble(error)
        if found is not None:
            return await self._wait_for_room(found, error)
        if isinstance(error, BackendError):
            log.warning("job %s: %s", self.job.id, error.error.error)
            await self._queue.fail(self._lease, error.error, retry_in=error.retry_in)
            return False
        if isinstance(error, LeaseLost):
            return True
        log.error("job %s: the backend failed", self.job.id, exc_info=error)
        await self._queue.fail(self._lease, _UNFORESEEN)
        return False

    async def _wait_for_room(self, found: JobError, error: BaseException) -> bool:
        """Queue it again for later: what ComfyUI made waits there, and the disk may get room.

        Tried too often, it fails with the disk's sentence.
        """
        log.warning("job %s: %s (%s)", self.job.id, found.error, error)
        await self._queue.fail(self._lease, found, retry_in=_pause_s(self.job.tries))
        return self._recorded

    async def _stopped(self) -> bool:
        if self._stop is Stop.CANCELED:
            await self._queue.canceled(self._lease)
            return False
        if self._stop is not Stop.LOST:
            await self._queue.release(self._lease)
        return self._recorded or self._stop is Stop.LOST


def _pause_s(tries: int) -> float:
    """Return how long to wait for room on the disk: longer each time, ten minutes in all."""
    return min(5.0 * 2.0 ** max(tries - 1, 0), _LONGEST_PAUSE_S)
