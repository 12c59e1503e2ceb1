"""Jobs in SQLite: one file, one connection that writes, each change one atomic statement.

Implements JobQueue, and JobStore by `reads`. Every write of a worker names its attempt, so that one
who lost its lease changes nothing. Must not know HTTP or backends.
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
import time
from collections.abc import AsyncGenerator, Callable, Collection, Iterable
from contextlib import asynccontextmanager
from pathlib import Path

import aiosqlite

from .bus import PROGRESS, STATUS, EventBus
from .jobs import IdempotencyConflict, Job, JobSpec, Lease, LeaseLost, QueueFull
from .reads import SqliteReads
from .rows import spec_columns, to_job, to_text
from .schema import migrate
from .values import JobError, Json, Progress
from .waiting import happened
from .webhooks.outbox import SqliteOutbox

_ENDED = "owner = null, lease_until = null, version = version + 1"
# What an attempt says of its steps goes with it; how far the job was stays.
_STEPLESS = (
    "progress = json_set(progress, '$.message', '', '$.node', null, '$.step', null,"
    " '$.steps', null)"
)
_FORWARD = (
    "progress = case when :progress is null then progress else json_set(:progress, '$.value',"
    " max(coalesce(json_extract(progress, '$.value'), 0.0),"
    " min(json_extract(:progress, '$.value'), 0.99))) end"
)
_FURTHER = (
    "tries = case when json_extract(:progress, '$.value')"
    " > coalesce(json_extract(progress, '$.value'), 0.0) then 1 else max(tries - :uncounted, 0) end"
)
_BACK = (
    f"{_STEPLESS}, state = case when cancel_requested then 'canceled' else 'queued' end,"
    f" finished_at = case when cancel_requested then :now end, {_ENDED}"
)
_AGAIN = (
    f"{_STEPLESS}, state = case when cancel_requested then 'canceled'"
    " when tries >= max_attempts then 'failed' else 'queued' end,"
    " error = case when tries >= max_attempts and not cancel_requested then :error end,"
    " finished_at = case when cancel_requested or tries >= max_attempts then :now end,"
    f" {_ENDED}"
)
_GAVE_UP = JobError(
    "attempts_exhausted",
    "The job was interrupted too often and was given up: send it again.",
    "The service stopped or lost it in the middle of each attempt.",
)


_READY = (
    "lane = :lane and state = 'queued' and not_before <= :now"
    " and route not in (select value from json_each(:skip))"
)
# Of each tenant the first job; then the tenant with the fewest running, and the longest ago served.
_HEADS = (
    f"with heads as (select tenant, min(seq) as seq from jobs where {_READY}"  # noqa: S608
    f" and priority = (select max(priority) from jobs where {_READY}) group by tenant)"
)
_OF_IT = "from jobs where lane = :lane and tenant = heads.tenant"
_FAIREST = (
    f"(select seq from heads order by (select count(*) {_OF_IT} and state = 'running'),"  # noqa: S608
    f" (select max(started_at) {_OF_IT}), seq limit 1)"
)
_LONGEST_WAIT = 3600.0  # seconds that a client is told to wait at most
_UNMEASURED = 10.0  # seconds a job takes, as long as none has ended


class SqliteJobStore(SqliteReads):
    """The queue and the store in one. `clock` is in seconds since the epoch."""

    def __init__(
        self, db: aiosqlite.Connection, bus: EventBus, clock: Callable[[], float] = time.time
    ) -> None:
        super().__init__(db)
        self._bus = bus
        self._clock = clock
        self.outbox = SqliteOutbox(db, clock)
        self._work: dict[str, asyncio.Event] = {}  # by lane; set, and gone, when a job is ready

    async def submit(
        self, spec: JobSpec, *, max_queued: int | None = None, max_own: int | None = None
    ) -> tuple[Job, bool]:
        """Record and enqueue as one atomic act; True if new. Raises as the protocol says."""
        columns = {**spec_columns(spec), "created_at": self._clock()}
        names = ", ".join(columns)
        values = ", ".join(f":{name}" for name in columns)
        rows = await self._all(
            f"insert into jobs ({names}) select {values}"  # noqa: S608  our own text
            " where (:most is null or"
            " (select count(*) from jobs where state = 'queued' and lane = :lane) < :most)"
            " and (:own is null or"
            " (select count(*) from jobs where state = 'queued' and tenant = :tenant) < :own)"
            " on conflict (tenant, idempotency_key) where idempotency_key is not null do nothing"
            " returning *",
            **columns,
            most=max_queued,
            own=max_own,
        )
        if rows:
            self._wake(spec.lane)
            return to_job(rows[0]), True
        return await self._earlier(spec, max_own), False

    async def _earlier(self, spec: JobSpec, max_own: int | None) -> Job:
        """Return the job that holds the same idempotency key."""
        key = spec.idempotency_key
        job = None if key is None else await self.find(spec.tenant, key)
        if job is None:
            raise await self._full(spec, max_own)
        if job.spec.request_hash != spec.request_hash:
            raise IdempotencyConflict(key)
        return job

    async def _full(self, spec: JobSpec, max_own: int | None) -> QueueFull:
        """Say whose queue is full. A tenant's own has room when one more of it has begun."""
        waiting = await self.queued_of(spec.tenant)
        own = max_own is not None and waiting >= max_own
        patience = await self._patience(spec.lane)
        return QueueFull(max(1.0, patience / waiting) if own and waiting else patience, own=own)

    async def _patience(self, lane: str) -> float:
        """Guess when those who wait are through: the latest jobs' time, by how many run at once."""
        rows = await self._all(
            "select (select avg(finished_at - started_at) from (select finished_at, started_at"
            " from jobs where lane = :lane and state = 'succeeded' order by seq desc limit 20))"
            " as seconds,"
            " (select count(*) from jobs where lane = :lane and state = 'queued') as waiting,"
            " (select count(*) from jobs where lane = :lane and state = 'running') as running",
            lane=lane,
        )
        seconds, waiting, running = rows[0]
        guess = (_UNMEASURED if seconds is None else seconds) * waiting / max(1, running)
        return min(max(1.0, guess), _LONGEST_WAIT)

    async def lease(
        self,
        worker_id: str,
        lane: str,
        *,
        lease_s: float,
        wait_s: float,
        skip: Collection[str] = (),
    ) -> Lease | None:
        """Take the lane's next job, fairly; None after the wait."""
        deadline = time.monotonic() + wait_s
        while True:
            work = self._work.setdefault(lane, asyncio.Event())
            lease = await self._take(worker_id, lane, lease_s, skip)
            left = deadline - time.monotonic()
            if lease is not None or left <= 0:
                return lease
            if not await happened(work, left):
                return None

    async def _take(
        self, worker_id: str, lane: str, lease_s: float, skip: Collection[str]
    ) -> Lease | None:
        now = self._clock()
        job = await self._change(
            f"{_HEADS} update jobs set state = 'running', attempt = attempt + 1,"  # noqa: S608
            " tries = tries + 1, owner = :owner, lease_until = :until,"
            " started_at = coalesce(started_at, :now), version = version + 1"
            f" where seq = {_FAIREST} returning *",
            owner=worker_id,
            lane=lane,
            now=now,
            until=now + lease_s,
            skip=json.dumps([*skip]),
        )
        return None if job is None else Lease(job, job.attempt)

    async def adopt(self, worker_id: str, lane: str, *, lease_s: float) -> list[Lease]:
        """Take over what this worker's killed forerunner ran, ledgers included; each is a try."""
        rows = await self._all(
            f"update jobs set {_STEPLESS}, attempt = attempt + 1, tries = tries + 1,"  # noqa: S608
            " lease_until = :until, version = version + 1"
            " where state = 'running' and lane = :lane and owner = :owner"
            " and (tries < max_attempts or cancel_requested) returning *",
            until=self._clock() + lease_s,
            lane=lane,
            owner=worker_id,
        )
        self._tell(rows)
        jobs = [to_job(row) for row in sorted(rows, key=lambda row: row["seq"])]
        return [Lease(job, job.attempt) for job in jobs]

    async def extend(
        self,
        lease: Lease,
        *,
        lease_s: float,
        progress: Progress | None = None,
        ledger: Json | None = None,
        uncounted: bool = False,
    ) -> Job:
        """Keep the lease; store progress and ledger; tell of a cancel request. Raises LeaseLost."""
        return await self._own(
            lease,
            f"lease_until = :until, {_FORWARD}, {_FURTHER}, ledger = coalesce(:ledger, ledger),"
            " version = version + (:progress is not null)",
            kind=PROGRESS,
            uncounted=uncounted,
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
        now, text = self._clock(), to_text(error)
        if retry_in is None:
            state = f"{_STEPLESS}, state = 'failed', finished_at = :now, error = :error"
            return await self._own(lease, f"{state}, {_ENDED}", now=now, error=text)
        later = now + retry_in
        return await self._own(
            lease, f"{_AGAIN}, not_before = :later", now=now, later=later, error=text
        )

    async def release(self, lease: Lease) -> Job:
        """Give the job back to the queue on a clean shutdown; the attempt does not count."""
        return await self._own(lease, f"{_BACK}, tries = tries - 1", now=self._clock())

    async def canceled(self, lease: Lease) -> Job:
        """Confirm that a running job was stopped because of a cancel request."""
        return await self._own(
            lease,
            f"{_STEPLESS}, state = 'canceled', finished_at = :now, {_ENDED}",
            now=self._clock(),
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
            f"update jobs set {_AGAIN}"  # noqa: S608  our own text
            " where state = 'running' and (lease_until < :now or owner = :dead) returning *",
            now=self._clock(),
            dead=dead_worker,
            error=to_text(_GAVE_UP),
        )
        self._tell(rows)
        return len(rows)

    async def overdue(
        self,
        lane: str,
        error: JobError,
        *,
        created_before: float | None = None,
        started_before: float | None = None,
    ) -> int:
        """Fail queued jobs that never started and were created before then, or started before."""
        rows = await self._all(
            f"update jobs set state = 'failed', error = :error, finished_at = :now, {_ENDED}"  # noqa: S608
            " where lane = :lane and state = 'queued' and"
            " ((started_at is null and created_at < :created) or started_at < :started)"
            " returning *",
            lane=lane,
            error=to_text(error),
            now=self._clock(),
            created=created_before,
            started=started_before,
        )
        self._tell(rows)
        return len(rows)

    async def _own(self, lease: Lease, changes: str, kind: str = STATUS, **values: object) -> Job:
        """Change the leased job; raise LeaseLost if it is not ours any more."""
        rows = await self._all(
            f"update jobs set {changes}"  # noqa: S608  our own text
            " where id = :id and attempt = :attempt and state = 'running' returning *",
            id=lease.job.id,
            attempt=lease.attempt,
            **values,
        )
        if not rows:
            raise LeaseLost(lease.job.id)
        if kind == STATUS or values.get("progress"):
            self._tell(rows, kind)
        return to_job(rows[0])

    async def _change(self, sql: str, **values: object) -> Job | None:
        rows = await self._all(sql, **values)
        self._tell(rows)
        return to_job(rows[0]) if rows else None

    def _tell(self, rows: Iterable[sqlite3.Row], kind: str = STATUS) -> None:
        for row in rows:
            self._bus.publish(row["id"], kind, to_job(row))
            if row["state"] == "queued":
                self._wake(row["lane"])

    def _wake(self, lane: str) -> None:
        work = self._work.pop(lane, None)
        if work is not None:
            work.set()


@asynccontextmanager
async def open_store(
    path: Path | str, bus: EventBus, clock: Callable[[], float] = time.time
) -> AsyncGenerator[SqliteJobStore, None]:
    """Open (or make) the file of jobs for the time of the block."""
    async with aiosqlite.connect(path, isolation_level=None, timeout=10) as db:
        db.row_factory = sqlite3.Row
        await db.execute_fetchall("pragma journal_mode = wal")
        await db.execute_fetchall("pragma synchronous = normal")
        await migrate(db)
        yield SqliteJobStore(db, bus, clock)
