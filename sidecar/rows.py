"""How a job lies in a row of SQLite: the table, and the row to and from the value.

Knows columns. Must not know when a job changes.
"""

from __future__ import annotations

import json
import sqlite3
from dataclasses import asdict
from typing import cast

from .jobs import Job, JobSpec
from .values import JobError, JobState, Json, Progress

SCHEMA = """
create table if not exists jobs (
  seq integer primary key autoincrement,
  id text not null unique,
  tenant text not null,
  lane text not null,
  priority integer not null,
  max_attempts integer not null,
  idempotency_key text,
  request_hash text not null,
  payload text not null,
  state text not null default 'queued',
  attempt integer not null default 0,
  version integer not null default 1,
  cancel_requested integer not null default 0,
  progress text not null default '{}',
  result text,
  error text,
  ledger text not null default '{}',
  owner text,
  lease_until real,
  not_before real not null default 0,
  created_at real not null,
  started_at real,
  finished_at real
);
create unique index if not exists jobs_idempotency
  on jobs(tenant, idempotency_key) where idempotency_key is not null;
create index if not exists jobs_queued on jobs(lane, priority desc, seq) where state = 'queued';
create index if not exists jobs_running on jobs(id) where state = 'running';
"""


def spec_columns(spec: JobSpec) -> Json:
    """Return the columns that a client's wish fills."""
    return {**asdict(spec), "payload": json.dumps(spec.payload)}


def to_text(value: Progress | JobError) -> str:
    """Return a value as the JSON text of its column."""
    return json.dumps(asdict(value))


def to_job(row: sqlite3.Row) -> Job:
    """Return the job that a row holds."""
    return Job(
        spec=_spec(row),
        state=JobState(row["state"]),
        attempt=row["attempt"],
        version=row["version"],
        cancel_requested=bool(row["cancel_requested"]),
        progress=Progress(**json.loads(row["progress"])),
        result=_loads(row["result"]),
        error=JobError(**json.loads(row["error"])) if row["error"] else None,
        ledger=json.loads(row["ledger"]),
        owner=row["owner"],
        created_at=row["created_at"],
        started_at=row["started_at"],
        finished_at=row["finished_at"],
    )


def _spec(row: sqlite3.Row) -> JobSpec:
    return JobSpec(
        id=row["id"],
        payload=json.loads(row["payload"]),
        tenant=row["tenant"],
        lane=row["lane"],
        priority=row["priority"],
        max_attempts=row["max_attempts"],
        idempotency_key=row["idempotency_key"],
        request_hash=row["request_hash"],
    )


def _loads(text: str | None) -> Json | None:
    return None if text is None else cast("Json", json.loads(text))
