"""The file of jobs: an older one is brought forward with all it holds, a big one opens fast."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import time

import aiosqlite
import pytest

from sidecar.bus import LocalBus
from sidecar.jobs import Job, Lease
from sidecar.schema import STEPS, migrate
from sidecar.store import open_store
from sidecar.values import JobState

FIRST = """
create table jobs (
  seq integer primary key autoincrement, id text not null unique, tenant text not null,
  lane text not null, priority integer not null, max_attempts integer not null,
  idempotency_key text, request_hash text not null, payload text not null,
  state text not null default 'queued', attempt integer not null default 0,
  version integer not null default 1, cancel_requested integer not null default 0,
  progress text not null default '{}', result text, error text,
  ledger text not null default '{}', owner text, lease_until real,
  not_before real not null default 0, created_at real not null, started_at real, finished_at real
);
create unique index jobs_idempotency
  on jobs(tenant, idempotency_key) where idempotency_key is not null;
create index jobs_queued on jobs(lane, priority desc, seq) where state = 'queued';
create index jobs_running on jobs(id) where state = 'running';
insert into jobs (id, tenant, lane, priority, max_attempts, request_hash, payload, state, attempt,
  progress, ledger, owner, created_at)
values
  ('done', '', 'demo', 0, 3, '', '{}', 'succeeded', 1, '{"value": 1.0}', '{}', null, 1),
  ('runs', '', 'demo', 0, 3, '', '{"text": "x"}', 'running', 2, '{"value": 0.5, "message": "m"}',
   '{"prompt_id": "p"}', 'main', 2),
  ('waits', '', 'demo', 0, 3, '', '{}', 'queued', 0, '{}', '{}', null, 3);
"""


def first_file(path):
    """Write a file as the first release did: no user_version."""
    with sqlite3.connect(path) as db:
        db.executescript(FIRST)
    db.close()


async def known(store, name) -> Job:
    job = await store.get(name)
    assert job is not None
    return job


async def leased(store) -> Lease:
    lease = await store.lease("main", "demo", lease_s=5, wait_s=0)
    assert lease is not None
    return lease


async def version_of(db):
    return next(iter(await db.execute_fetchall("pragma user_version")))[0]


async def test_the_first_releases_file_is_brought_forward(tmp_path):
    path = tmp_path / "jobs.db"
    await asyncio.to_thread(first_file, path)
    async with open_store(path, LocalBus()) as store:
        jobs, _ = await store.list(tenant="")
        assert [job.id for job in jobs] == ["waits", "runs", "done"]
        runs = await known(store, "runs")
        assert (runs.attempt, runs.tries, runs.ledger) == (2, 2, {"prompt_id": "p"})
        assert await store.reap("main") == 1
        lease = await leased(store)
        assert (lease.job.id, lease.attempt, lease.job.progress.value) == ("runs", 3, 0.5)
        await store.complete(lease, {})
    async with open_store(path, LocalBus()) as store:
        assert (await known(store, "runs")).state is JobState.SUCCEEDED


async def test_each_step_runs_once_though_many_open_the_file(tmp_path):
    path = tmp_path / "jobs.db"
    await asyncio.to_thread(first_file, path)

    async def bring_forward():
        async with aiosqlite.connect(path, isolation_level=None, timeout=10) as db:
            await migrate(db)
            return await version_of(db)

    versions = await asyncio.gather(*(bring_forward() for _ in range(5)))
    assert versions == [len(STEPS)] * 5


async def test_a_step_that_fails_leaves_the_file_as_it_was(tmp_path, monkeypatch):
    path = tmp_path / "jobs.db"
    await asyncio.to_thread(first_file, path)
    broken = (STEPS[0], (*STEPS[1], "this is not SQL"))
    monkeypatch.setattr("sidecar.schema.STEPS", broken)
    with pytest.raises(sqlite3.Error):
        async with open_store(path, LocalBus()):
            pass
    monkeypatch.undo()
    async with open_store(path, LocalBus()) as store:
        assert (await known(store, "runs")).tries == 2


async def test_a_newer_programs_file_is_left_alone(tmp_path):
    path = tmp_path / "jobs.db"
    async with aiosqlite.connect(path, isolation_level=None) as db:
        await db.execute_fetchall(f"pragma user_version = {len(STEPS) + 1}")
    with pytest.raises(sqlite3.DatabaseError, match="newer version"):
        async with open_store(path, LocalBus()):
            pass


def fill(path, finished, queued):
    with sqlite3.connect(path) as db:
        payload = json.dumps({"text": "x" * 500, "image": "a.png"})
        rows = [
            (f"job{n}", f"t{n % 7}", payload, "succeeded" if n < finished else "queued", n)
            for n in range(finished + queued)
        ]
        db.executemany(
            "insert into jobs (id, tenant, lane, priority, max_attempts, request_hash, payload,"
            " state, created_at, started_at, finished_at, result)"
            " values (?, ?, 'demo', 0, 3, '', ?, ?, ?, null, null, '{}')",
            rows,
        )
        db.execute(
            "update jobs set started_at = created_at, finished_at = created_at + 1"
            " where state = 'succeeded'"
        )
    db.close()


async def test_ten_thousand_finished_and_a_thousand_waiting_jobs_slow_nothing_down(tmp_path):
    path = tmp_path / "jobs.db"
    async with open_store(path, LocalBus()):
        pass
    await asyncio.to_thread(fill, path, 10_000, 1000)
    began = time.perf_counter()
    async with open_store(path, LocalBus()) as store:
        await store.reap("main")
        lease = await leased(store)
        opened = time.perf_counter()
        await store.list(tenant="t3", limit=100, status=[JobState.SUCCEEDED])
        await store.list(tenant="t3", limit=100)
        await store.stats()
        await store.positions(["job10500"])
        await store.expired(finished_before=100, limit=100)
        await store.extend(lease, lease_s=5)
    assert lease.job.id == "job10000"
    assert opened - began < 1
    assert time.perf_counter() - opened < 1
