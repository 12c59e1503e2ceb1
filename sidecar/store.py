"""Jobs in SQLite: one file, one connection that writes, each change one atomic statement.

Implements JobQueue and JobStore. Every write of a worker names its attempt, so that one who lost
its lease changes nothing. Must not know HTTP or backends.
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
import time
from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import asynccontextmanager
from pathlib import Path

import aiosqlite

from .bell import Bell
from .jobs import IdempotencyConflict, Job, JobSpec, Lease, LeaseLost, QueueFull
from .rows import SCHEMA, spec_columns, to_job, to_text
from .values import JobError, Json, Progress

_ENDED = "owner = null, lease_until = null, version = version + 1"
_BACK = (
    "state = case when cancel_requested then 'canceled' else 'queued' end,"
    f" finished_at = case when cancel_requested then :now end, {_ENDED}"
)
_GAVE_UP = JobError(
    "attempts_exhausted",
    "The job was interrupted too often and was given up: send it again.",
    "The service stopped or lost it in the middle of each attempt.",
)


class SqliteJobStore:
    """The queue and the store in one. `clock` is in seconds since the epoch."""

    def __init__(
        self, db: aiosqlite.Connection, bell: Bell, clock: Callable[[], float] = time.time
    ) -> None:
        self._db = db
        self._bell = bell
        self._clock = clock
        self._work = asyncio.Event()  # set, and replaced, whenever a job becomes ready

    async def submit(self, spec: JobSpec, *, max_queued: int | None = None) -> tuple[Job, bool]:
        """Record and enqueue as one atomic act; True if new. Raises as the protocol says."""
        columns = {**spec_columns(spec), "created_at": self._clock()}
        names = ", ".join(columns)
        values = ", ".join(f":{name}" for name in columns)
        rows = await self._all(
            f"insert into jobs ({names}) select {values}"  # noqa: S608  our own text
            " where :most is null or"
            " (select count(*) from jobs where state = 'queued' and lane = :lane) < :most"
            " on conflict (tenant, idempotency_key) where idempotency_key is not null do nothing"
            " returning *",
            **columns,
            most=max_queued,
        )
        if rows:
            self._wake()
            return to_job(rows[0]), True
        return await self._earlier(spec), False

    async def _earlier(self, spec: JobSpec) -> Job:
        """Return the job that holds the same idempotency key."""
        rows = await self._all(
            "select * from jobs where tenant = :tenant and idempotency_key = :key",
            tenant=spec.tenant,
            key=spec.idempotency_key,
        )
        if not rows:
            raise QueueFull(await self._patience(spec.lane))
        job = to_job(rows[0])
        if job.spec.request_hash != spec.request_hash:
            raise IdempotencyConflict(spec.idempotency_key)
        return job

    async def _patience(self, lane: str) -> float:
        """Guess when a place gets free: how long the latest jobs of the lane took."""
        rows = await self._all(
            "select avg(finished_at - started_at) as seconds from (select * from jobs"
            " where lane = :lane and state = 'succeeded' order by seq desc limit 20)",
            lane=lane,
        )
        return max(1.0, rows[0]["seconds"] or 10.0)

    async def lease(
        self, worker_id: str, lane: str, *, lease_s: float, wait_s: float
    ) -> Lease | None:
        """Take the lane's next job: by priority, then first come first served; None after wait."""
        deadline = time.monotonic() + wait_s
        while True:
            work = self._work
            lease = await self._take(worker_id, lane, lease_s)
            left = deadline - time.monotonic()
            if lease is not None or left <= 0:
                return lease
            try:
                await asyncio.wait_for(work.wait(), left)
            except asyncio.TimeoutError:
                return None

    async def _take(self, worker_id: str, lane: str, lease_s: float) -> Lease | None:
        now = self._clock()
        job = await self._change(
            "update jobs set state = 'running', attempt = attempt + 1, owner = :owner,"
            " lease_until = :until, started_at = coalesce(started_at, :now), version = version + 1"
            " where id = (select id from jobs where lane = :lane and state = 'queued'"
            " and not_before <= :now order by priority desc, seq limit 1) returning *",
            owner=worker_id,
            lane=lane,
            now=now,
            until=now + lease_s,
        )
        return None if job is None else Lease(job, job.attempt)

    async def extend(
        self,
        lease: Lease,
        *,
        lease_s: float,
        progress: Progress | None = None,
        ledger: Json | None = None,
    ) -> Job:
        """Keep the lease; store progress and ledger; tell of a cancel request. Raises LeaseLost."""
        return await self._own(
            lease,
            "lease_until = :until, progress = coalesce(:progress, progress),"
            " ledger = coalesce(:ledger, ledger), version = version + (:progress is not null)",
            until=self._clock() + lease_s,
            progress=None if progress is None else to_text(progress),
            ledger=None if ledger is None else json.dumps(ledger),
        )

    async def complete(self, lease: Lease, result: Json) -> Job:
        """Store the result: succeeded. Repeating the same attempt is fine. Raises LeaseLost."""
        try:
            return await self._own(
                lease,
                "state = 'succeeded', result = :result, progress = :progress,"
                f" finished_at = :now, {_ENDED}",
                result=json.dumps(result),
                progress=to_text(Progress(1.0)),
                now=self._clock(),
            )
        except LeaseLost:
            job = await self.get(lease.job.id)
            if job is not None and job.attempt == lease.attempt and job.result is not None:
                return job
            raise

    async def fail(self, lease: Lease, error: JobError, *, retry_in: float | None = None) -> Job:
        """Failed for good (`retry_in` None) or queued again later. Raises LeaseLost."""
        last = retry_in is None or lease.attempt >= lease.job.spec.max_attempts
        now = self._clock()
        if last:
            state = "state = 'failed', finished_at = :now, error = :error"
            return await self._own(lease, f"{state}, {_ENDED}", now=now, error=to_text(error))
        later = now + (retry_in or 0)
        return await self._own(lease, f"{_BACK}, not_before = :later", now=now, later=later)

    async def release(self, lease: Lease) -> Job:
        """Give the job back to the queue on a clean shutdown; the attempt does not count."""
        return await self._own(lease, f"{_BACK}, attempt = attempt - 1", now=self._clock())

    async def canceled(self, lease: Lease) -> Job:
        """Confirm that a running job was stopped because of a cancel request."""
        return await self._own(
            lease, f"state = 'canceled', finished_at = :now, {_ENDED}", now=self._clock()
        )

    async def cancel(self, job_id: str) -> Job | None:
        """Queued: canceled at once. Running: a flag, seen at the next extend. Unknown: None."""
        job = await self._change(
            "update jobs set cancel_requested = 1, version = version + 1,"
            " finished_at = case state when 'queued' then :now end,"
            " state = case state when 'queued' then 'canceled' else state end"
            " where id = :id and state in ('queued', 'running') and not cancel_requested"
            " returning *",
            id=job_id,
            now=self._clock(),
        )
        return job or await self.get(job_id)

    async def reap(self, dead_worker: str | None = None) -> int:
        """Put expired leases, and all of a dead worker, back or end them; return how many."""
        rows = await self._all(
            "update jobs set"  # noqa: S608  our own text
            " error = case when attempt >= max_attempts then :error end,"
            " finished_at = case when cancel_requested or attempt >= max_attempts then :now end,"
            " state = case when cancel_requested then 'canceled'"
            f" when attempt >= max_attempts then 'failed' else 'queued' end, {_ENDED}"
            " where state = 'running' and (lease_until < :now or owner = :dead) returning *",
            now=self._clock(),
            dead=dead_worker,
            error=to_text(_GAVE_UP),
        )
        self._tell(rows)
        return len(rows)

    async def get(self, job_id: str) -> Job | None:
        """Return the job, or None."""
        rows = await self._all("select * from jobs where id = :id", id=job_id)
        return to_job(rows[0]) if rows else None

    async def position(self, job_id: str) -> int | None:
        """How many queued jobs would start before it (0: next); None if it is not queued."""
        rows = await self._all(
            "select (select count(*) from jobs b where b.state = 'queued' and b.lane = a.lane and"
            " (b.priority > a.priority or (b.priority = a.priority and b.seq < a.seq))) as place"
            " from jobs a where a.id = :id and a.state = 'queued'",
            id=job_id,
        )
        return rows[0]["place"] if rows else None

    async def _own(self, lease: Lease, changes: str, **values: object) -> Job:
        """Change the leased job; raise LeaseLost if it is not ours any more."""
        job = await self._change(
            f"update jobs set {changes}"  # noqa: S608  our own text
            " where id = :id and attempt = :attempt and state = 'running' returning *",
            id=lease.job.id,
            attempt=lease.attempt,
            **values,
        )
        if job is None:
            raise LeaseLost(lease.job.id)
        return job

    async def _change(self, sql: str, **values: object) -> Job | None:
        rows = await self._all(sql, **values)
        self._tell(rows)
        return to_job(rows[0]) if rows else None

    async def _all(self, sql: str, **values: object) -> list[sqlite3.Row]:
        return list(await self._db.execute_fetchall(sql, values))

    def _tell(self, rows: Iterable[sqlite3.Row]) -> None:
        for row in rows:
            self._bell.ring(row["id"])
            if row["state"] == "queued":
                self._wake()

    def _wake(self) -> None:
        self._work.set()
        self._work = asyncio.Event()


@asynccontextmanager
async def open_store(path: Path, bell: Bell) -> AsyncGenerator[SqliteJobStore, None]:
    """Open (or make) the file of jobs for the time of the block."""
    async with aiosqlite.connect(path, isolation_level=None, timeout=10) as db:
        db.row_factory = sqlite3.Row
        await db.execute_fetchall("pragma journal_mode = wal")
        await db.execute_fetchall("pragma synchronous = normal")
        await db.executescript(SCHEMA)
        yield SqliteJobStore(db, bell)
