"""One attempt at one job: the lease kept alive, the backend stopped when it must be.

Knows the queue and backends as protocols. Must not know HTTP, SQLite or what a backend does.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from dataclasses import asdict, replace
from enum import Enum

from .backends.base import Backend, BackendError
from .jobs import Job, JobQueue, Lease, LeaseLost
from .values import GenerateRequest, JobError, Json, Outputs, Progress

log = logging.getLogger(__name__)

_UNFORESEEN = JobError(
    "internal_error",
    "The video could not be made because of a fault in the service.",
    "The service's log says more.",
)


class Stop(Enum):
    """Why the backend was told to stop."""

    CANCELED = "canceled"
    CLOSING = "closing"
    LOST = "lost"


class Attempt:
    """The RunContext of one lease, and the one who settles how it ended."""

    def __init__(self, lease: Lease, queue: JobQueue, *, lease_s: float, tick_s: float) -> None:
        self._lease = lease
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
    def canceled(self) -> bool:
        """Whether the backend is being stopped because the client wants it no more."""
        return self._stop is Stop.CANCELED

    def progress(self, progress: Progress) -> None:
        """Take note; the next tick stores it. `value` never goes back and 1 is kept for the end."""
        value = min(max(progress.value, self._progress.value), 0.99)
        self._progress = replace(progress, value=value)

    async def remember(self, ledger: Json) -> None:
        """Store the ledger before the next step. Raises LeaseLost."""
        await self._queue.extend(self._lease, lease_s=self._lease_s, ledger=ledger)

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
        """Run to the end and settle the job; True if its outputs are the answer."""
        self._work = asyncio.create_task(backend.run(self), name=f"job-{self.job.id}")
        if self._stop is not None:
            self._work.cancel()
        ticking = asyncio.create_task(self._tick(), name=f"lease-{self.job.id}")
        try:
            await asyncio.wait([self._work])
        finally:
            ticking.cancel()
            await asyncio.gather(ticking, return_exceptions=True)
        try:
            return await self._settle(self._work)
        except LeaseLost:
            log.warning("job %s: another attempt took over", self.job.id)
            return False

    async def _tick(self) -> None:
        """Keep the lease, store progress, and notice a cancel request or the loss of the lease."""
        while True:
            await asyncio.sleep(self._tick_s)
            changed = self._progress if self._progress != self._stored else None
            try:
                job = await self._queue.extend(self._lease, lease_s=self._lease_s, progress=changed)
            except LeaseLost:
                return self.stop(Stop.LOST)
            except sqlite3.Error:
                log.exception("job %s: the lease could not be extended", self.job.id)
                continue
            self._stored = changed or self._stored
            if job.cancel_requested:
                return self.stop(Stop.CANCELED)

    async def _settle(self, work: asyncio.Task[Outputs]) -> bool:
        if work.cancelled():
            await self._stopped()
            return False
        error = work.exception()
        if error is None:
            job = await self._queue.complete(self._lease, asdict(work.result()))
            took = (job.finished_at or 0.0) - (job.started_at or 0.0)
            log.info("job %s: %s made in %.1f s", job.id, self.request.pipeline, took)
            return True
        if isinstance(error, BackendError):
            log.warning("job %s: %s", self.job.id, error.error.error)
            await self._queue.fail(self._lease, error.error, retry_in=error.retry_in)
        elif not isinstance(error, LeaseLost):
            log.error("job %s: the backend failed", self.job.id, exc_info=error)
            await self._queue.fail(self._lease, _UNFORESEEN)
        return False

    async def _stopped(self) -> None:
        if self._stop is Stop.CANCELED:
            await self._queue.canceled(self._lease)
        elif self._stop is not Stop.LOST:
            await self._queue.release(self._lease)
