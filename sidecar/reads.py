"""Jobs read from SQLite, and old ones forgotten: what JobStore promises.

Must not know when a job changes (`store` does), HTTP or backends.
"""

from __future__ import annotations

import asyncio
import base64
import json
import re
import sqlite3
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping

import aiosqlite

from .jobs import Job, LaneStats, WrongCursor
from .rows import to_job
from .values import JobState

_ENDED = "state in ('succeeded', 'failed', 'canceled')"
_TOLD = "not exists (select 1 from webhooks where job_id = jobs.id and webhooks.state = 'pending')"


class SqliteReads:
    """The reading half of the store."""

    def __init__(self, db: aiosqlite.Connection) -> None:
        self._db = db

    async def get(self, job_id: str) -> Job | None:
        """Return the job, or None."""
        return _first(await self._all("select * from jobs where id = :id", id=job_id))

    async def find(self, tenant: str, idempotency_key: str) -> Job | None:
        """Return the tenant's job of that idempotency key, or None."""
        return _first(
            await self._all(
                "select * from jobs where tenant = :tenant and idempotency_key = :key",
                tenant=tenant,
                key=idempotency_key,
            )
        )

    async def positions(self, job_ids: Collection[str] | None = None) -> Mapping[str, int]:
        """How many queued jobs would start before each of them (0: next), as things stand.

        Tenants take turns, so a job's turn is its rank among its own tenant's.
        """
        rows = await self._all(
            "select id, place from (select id, row_number() over"
            " (partition by lane order by priority desc, turn, seq) - 1 as place from"
            " (select id, lane, priority, seq, row_number() over"
            " (partition by lane, priority, tenant order by seq) as turn from jobs"
            " where state = 'queued' and (:ids is null or lane in (select lane from jobs where"
            " state = 'queued' and id in (select value from json_each(:ids))))))"
            " where :ids is null or id in (select value from json_each(:ids))",
            ids=None if job_ids is None else _array(job_ids),
        )
        return {row["id"]: row["place"] for row in rows}

    async def list(
        self,
        *,
        tenant: str,
        status: Collection[JobState] = (),
        limit: int = 20,
        cursor: str | None = None,
    ) -> tuple[list[Job], str | None]:
        """Return the tenant's newest jobs, and the cursor of the next older ones. WrongCursor."""
        rows = await self._all(
            "select * from jobs where tenant = :tenant and seq < :before"  # noqa: S608  our text
            f" {'and state in (select value from json_each(:states))' if status else ''}"
            " order by seq desc limit :most",
            tenant=tenant,
            before=2**62 if cursor is None else _seq(cursor),
            states=_array(state.value for state in status),
            most=limit + 1,
        )
        more = _cursor(rows[limit - 1]["seq"]) if len(rows) > limit else None
        return [to_job(row) for row in rows[:limit]], more

    async def stats(self) -> Mapping[str, LaneStats]:
        """Count the jobs of each lane by state."""
        rows = await self._all("select lane, state, count(*) as n from jobs group by lane, state")
        waiting = await self._all(
            "select lane, min(created_at) as oldest from jobs where state = 'queued' group by lane"
        )
        oldest = {row["lane"]: row["oldest"] for row in waiting}
        counts: dict[str, dict[JobState, int]] = defaultdict(lambda: dict.fromkeys(JobState, 0))
        for row in rows:
            counts[row["lane"]][JobState(row["state"])] = row["n"]
        return {lane: LaneStats(found, oldest.get(lane)) for lane, found in counts.items()}

    async def unfinished(self) -> list[tuple[str, str, str, int, float]]:
        """Return lane, state, pipeline, count, and since when, of jobs that wait or run."""
        rows = await self._all(
            " union all ".join(
                f"select lane, '{state}', coalesce(json_extract(payload, '$.pipeline'), ''),"  # noqa: S608
                f" count(*), min(created_at) from jobs where state = '{state}' group by 1, 3"
                for state in (JobState.QUEUED.value, JobState.RUNNING.value)
            )
        )
        return [(row[0], row[1], row[2], row[3], row[4]) for row in rows]

    async def queued(self, lane: str) -> int:
        """Count the lane's waiting jobs."""
        rows = await self._all(
            "select count(*) as n from jobs where state = 'queued' and lane = :lane", lane=lane
        )
        return rows[0]["n"]

    async def queued_of(self, tenant: str) -> int:
        """Count the tenant's waiting jobs."""
        rows = await self._all(
            "select count(*) as n from jobs where state = 'queued' and tenant = :tenant",
            tenant=tenant,
        )
        return rows[0]["n"]

    async def results_of(self, tenant: str) -> frozenset[str]:
        """Return the media keys of what the tenant's jobs made."""
        rows = await self._all(
            "select json_extract(result, '$.image'), json_extract(result, '$.video') from jobs"
            " where tenant = :tenant and state = 'succeeded'",
            tenant=tenant,
        )
        return await asyncio.to_thread(lambda: frozenset(key for row in rows for key in row if key))

    async def expired(self, *, finished_before: float, limit: int) -> list[Job]:
        """Return jobs that ended before then, the oldest first; none with a webhook to be told."""
        rows = await self._all(
            f"select * from jobs where finished_at < :before and {_ENDED} and {_TOLD}"  # noqa: S608
            " order by finished_at limit :most",
            before=finished_before,
            most=limit,
        )
        return [to_job(row) for row in rows]

    async def forget(self, job_ids: Collection[str]) -> int:
        """Delete those of the jobs that have ended and told their webhook; return how many."""
        rows = await self._all(
            "delete from jobs where id in (select value from json_each(:ids))"  # noqa: S608
            f" and {_ENDED} and {_TOLD} returning id",
            ids=_array(job_ids),
        )
        return len(rows)

    async def in_use(self, *, finished: bool = True) -> frozenset[str]:
        """Return the media keys that unfinished jobs need, and finished ones' results if asked."""
        rows = await self._all(
            "select json_extract(payload, '$.image'), json_extract(ledger, '$.outputs.image'),"
            " json_extract(ledger, '$.outputs.video') from jobs"
            " where state in ('queued', 'running')"
        )
        if finished:
            rows += await self._all(
                "select json_extract(result, '$.image'), json_extract(result, '$.video') from jobs"
                " where state = 'succeeded'"
            )
        return frozenset(key for row in rows for key in row if key)

    async def _all(self, sql: str, **values: object) -> list[sqlite3.Row]:
        return list(await self._db.execute_fetchall(sql, values))


def _first(rows: list[sqlite3.Row]) -> Job | None:
    return to_job(rows[0]) if rows else None


def _array(items: Iterable[str]) -> str:
    return json.dumps([*items])


def _cursor(seq: int) -> str:
    return base64.urlsafe_b64encode(f"1.{seq}".encode()).decode().rstrip("=")


def _seq(cursor: str) -> int:
    """Return the number that a cursor of ours holds. Raises WrongCursor."""
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode("ascii")
    except ValueError:
        raise WrongCursor(cursor) from None
    match = re.fullmatch(r"1\.([0-9]{1,18})", text)
    if match is None or _cursor(int(match[1])) != cursor:
        raise WrongCursor(cursor)
    return int(match[1])
