"""How a job lies in a row of SQLite: the row to and from the value.

Knows columns. Must not know when a job changes.
"""

from __future__ import annotations

import json
import sqlite3
from dataclasses import asdict, fields
from typing import cast

from .jobs import Job, JobSpec
from .values import JobError, JobState, Json, Progress, Webhook


def spec_columns(spec: JobSpec) -> Json:
    """Return the columns that a client's wish fills."""
    webhook = None if spec.webhook is None else json.dumps(asdict(spec.webhook))
    columns = {each.name: getattr(spec, each.name) for each in fields(spec)}
    return {**columns, "payload": json.dumps(spec.payload), "webhook": webhook}


def to_text(value: Progress | JobError) -> str:
    """Return a value as the JSON text of its column."""
    return json.dumps(asdict(value))


def to_job(row: sqlite3.Row) -> Job:
    """Return the job that a row holds."""
    return Job(
        spec=_spec(row),
        state=JobState(row["state"]),
        attempt=row["attempt"],
        tries=row["tries"],
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
        route=row["route"],
        priority=row["priority"],
        max_attempts=row["max_attempts"],
        idempotency_key=row["idempotency_key"],
        request_hash=row["request_hash"],
        asked_hash=row["asked_hash"],
        webhook=Webhook(**json.loads(row["webhook"])) if row["webhook"] else None,
        request_id=row["request_id"],
        trace=row["trace"],
    )


def _loads(text: str | None) -> Json | None:
    return None if text is None else cast("Json", json.loads(text))
