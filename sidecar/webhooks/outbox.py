"""Webhooks that are still to be told, in the database of jobs.

A trigger there writes them (`schema`), in the transaction that ends the job. Who takes one holds it
for a while: if it is not settled by then, its taker was killed, and it is due again. Must not know
how a message is made or sent.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

import aiosqlite


class Fate(str, Enum):
    """How a delivery ended."""

    DELIVERED = "delivered"
    GONE = "gone"  # the address said that it wants no more
    EXHAUSTED = "exhausted"  # it was tried for days


@dataclass(frozen=True)
class Delivery:
    """A message to one address; `attempts` counts this one, `kind` is like "job.succeeded"."""

    id: str
    job_id: str
    url: str
    host: str
    base: str
    kind: str
    attempts: int


class Outbox(Protocol):
    """What is still to be told; at least once."""

    async def claim(self, *, hold_s: float, but_hosts: Collection[str] = ()) -> Delivery | None:
        """Take the next due one, not of these hosts; it is due again after `hold_s`."""
        ...

    async def settle(self, delivery: Delivery, fate: Fate, said: str = "") -> None:
        """Store how it ended."""
        ...

    async def postpone(self, delivery: Delivery, seconds: float, said: str) -> None:
        """Store why it failed, and when to try again."""
        ...


class SqliteOutbox:
    """The outbox beside the jobs. `clock` is in seconds since the epoch."""

    def __init__(self, db: aiosqlite.Connection, clock: Callable[[], float] = time.time) -> None:
        self._db = db
        self._clock = clock

    async def claim(self, *, hold_s: float, but_hosts: Collection[str] = ()) -> Delivery | None:
        """Take the next due one, not of these hosts; it is due again after `hold_s`."""
        now = self._clock()
        rows = await self._all(
            "update webhooks set attempts = attempts + 1, next_at = :until where id ="
            " (select id from webhooks where state = 'pending' and next_at <= :now"
            " and host not in (select value from json_each(:hosts)) order by next_at limit 1)"
            " returning id, job_id, url, host, base, kind, attempts",
            now=now,
            until=now + hold_s,
            hosts=json.dumps([*but_hosts]),
        )
        return Delivery(**dict(rows[0])) if rows else None

    async def settle(self, delivery: Delivery, fate: Fate, said: str = "") -> None:
        """Store how it ended."""
        await self._all(
            "update webhooks set state = :fate, said = :said where id = :id",
            id=delivery.id,
            fate=fate.value,
            said=said,
        )

    async def postpone(self, delivery: Delivery, seconds: float, said: str) -> None:
        """Store why it failed, and when to try again."""
        await self._all(
            "update webhooks set next_at = :at, said = :said where id = :id and state = 'pending'",
            id=delivery.id,
            at=self._clock() + seconds,
            said=said,
        )

    async def pending(self) -> int:
        """Count those that are still to be told."""
        rows = await self._all("select count(*) as n from webhooks where state = 'pending'")
        return rows[0]["n"]

    async def _all(self, sql: str, **values: object) -> list[sqlite3.Row]:
        return list(await self._db.execute_fetchall(sql, values))
