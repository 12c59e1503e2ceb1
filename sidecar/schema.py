"""The tables of jobs and of webhooks to be told, and how an older file becomes the present one.

Each step is run once, in order, in a transaction of its own; the file's user_version tells how many
it has had. A step that was released is never changed: add another one. Knows SQL only.
"""

from __future__ import annotations

import sqlite3

import aiosqlite

_JOBS = """
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
)
"""
_IDEMPOTENCY = """
create unique index if not exists jobs_idempotency
  on jobs(tenant, idempotency_key) where idempotency_key is not null
"""
_QUEUED = """
create index jobs_queued on jobs(lane, priority desc, tenant, seq, not_before, route)
  where state = 'queued'
"""
_WEBHOOKS = """
create table webhooks (
  id text primary key,
  job_id text not null,
  url text not null,
  host text not null,
  base text not null,
  kind text not null,
  state text not null default 'pending',
  attempts integer not null default 0,
  created_at real not null,
  next_at real not null,
  said text not null default ''
)
"""
# In the database, so that no way to end a job can forget it, nor tell of an end that is not stored.
_TELL = """
create trigger jobs_tell after update of state on jobs
when new.webhook is not null and old.state in ('queued', 'running')
  and new.state in ('succeeded', 'failed', 'canceled')
begin
  insert into webhooks (id, job_id, url, host, base, kind, created_at, next_at)
  values (
    'msg_' || lower(hex(randomblob(16))), new.id, json_extract(new.webhook, '$.url'),
    json_extract(new.webhook, '$.host'), json_extract(new.webhook, '$.base'),
    'job.' || new.state, new.finished_at, new.finished_at
  );
end
"""
_FORGET = """
create trigger jobs_forget after delete on jobs
begin
  delete from webhooks where job_id = old.id;
end
"""

STEPS: tuple[tuple[str, ...], ...] = (
    (
        _JOBS,
        _IDEMPOTENCY,
        "create index if not exists jobs_queued on jobs(lane, seq) where state = 'queued'",
        "create index if not exists jobs_running on jobs(id) where state = 'running'",
    ),
    (
        "alter table jobs add column tries integer not null default 0",
        "update jobs set tries = attempt",
        "alter table jobs add column asked_hash text not null default ''",
        "alter table jobs add column route text not null default ''",
        "alter table jobs add column webhook text",
        "drop index jobs_queued",
        "drop index jobs_running",
        _QUEUED,
        "create index jobs_running on jobs(lane, tenant) where state = 'running'",
        "create index jobs_served on jobs(lane, tenant, started_at)",
        "create index jobs_succeeded on jobs(lane, seq) where state = 'succeeded'",
        "create index jobs_finished on jobs(finished_at) where finished_at is not null",
        "create index jobs_counted on jobs(lane, state)",
        "create index jobs_listed on jobs(tenant, seq)",
        "create index jobs_listed_by_state on jobs(tenant, state, seq)",
        _WEBHOOKS,
        "create index webhooks_due on webhooks(next_at) where state = 'pending'",
        "create index webhooks_job on webhooks(job_id)",
        _TELL,
        _FORGET,
    ),
    (
        "alter table jobs add column request_id text not null default ''",
        "alter table jobs add column trace text not null default ''",
    ),
)


async def migrate(db: aiosqlite.Connection) -> None:
    """Bring the file to the present form. Raises sqlite3.DatabaseError if a newer program made it.

    Two processes may do so at once: each step begins by looking again.
    """
    while (version := await _version(db)) < len(STEPS):
        await db.execute_fetchall("begin immediate")
        try:
            if await _version(db) == version:
                for statement in STEPS[version]:
                    await db.execute_fetchall(statement)
                await db.execute_fetchall(f"pragma user_version = {version + 1}")
            await db.execute_fetchall("commit")
        except BaseException:
            await db.execute_fetchall("rollback")
            raise
    if version > len(STEPS):
        raise sqlite3.DatabaseError("a newer version of this program wrote it; update this one")


async def _version(db: aiosqlite.Connection) -> int:
    rows = await db.execute_fetchall("pragma user_version")
    return next(iter(rows))[0]
