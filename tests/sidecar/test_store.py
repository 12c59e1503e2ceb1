"""The queue's promises: one owner, fencing, retries, cancelling, order, idempotency, restarts."""

from __future__ import annotations

import asyncio

import pytest

from sidecar.bell import Bell
from sidecar.jobs import IdempotencyConflict, JobSpec, LeaseLost, QueueFull
from sidecar.store import open_store
from sidecar.values import JobError, JobState, Progress

OOPS = JobError("oops", "It broke.")


@pytest.fixture
def bell():
    return Bell()


@pytest.fixture
async def store(tmp_path, bell):
    async with open_store(tmp_path / "jobs.db", bell) as opened:
        yield opened


def spec(name, **more):
    return JobSpec(id=name, payload={"text": "hi \u044f"}, **more)


def take(store, worker="w", lane="demo", lease_s=30.0, wait_s=0.0):
    return store.lease(worker, lane, lease_s=lease_s, wait_s=wait_s)


async def test_a_job_comes_back_as_it_was_submitted(store):
    job, new = await store.submit(spec("a", priority=2))
    assert new
    assert job.spec == spec("a", priority=2)
    assert (job.state, job.attempt, job.version) == (JobState.QUEUED, 0, 1)
    assert await store.get("a") == job
    assert await store.get("b") is None


async def test_jobs_start_by_priority_then_in_order_and_only_in_their_lane(store):
    for name, priority in (("a", 0), ("b", 0), ("c", 1)):
        await store.submit(spec(name, priority=priority))
    await store.submit(spec("other", lane="comfyui"))
    assert await store.position("b") == 2
    taken = [(await take(store)).job.id for _ in range(3)]
    assert taken == ["c", "a", "b"]
    assert await take(store) is None
    assert await store.position("b") is None


async def test_a_waiting_worker_wakes_when_a_job_comes(store):
    waiting = asyncio.create_task(take(store, wait_s=60))
    await asyncio.sleep(0.05)
    await store.submit(spec("a"))
    assert (await waiting).job.id == "a"


async def test_only_one_of_many_workers_gets_a_job(store):
    await store.submit(spec("a"))
    leases = await asyncio.gather(*(take(store, f"w{n}") for n in range(8)))
    assert sum(lease is not None for lease in leases) == 1


async def test_progress_is_visible_and_counts_as_a_change_but_a_heartbeat_does_not(store):
    await store.submit(spec("a"))
    lease = await take(store)
    job = await store.extend(lease, lease_s=5, progress=Progress(0.5, "half"))
    assert (job.progress, job.version) == (Progress(0.5, "half"), lease.job.version + 1)
    again = await store.extend(lease, lease_s=5)
    assert (again.progress, again.version) == (job.progress, job.version)


async def test_the_ledger_outlives_an_attempt(store):
    await store.submit(spec("a"))
    lease = await take(store)
    await store.extend(lease, lease_s=5, ledger={"prompt_id": "p"})
    await store.fail(lease, OOPS, retry_in=0)
    assert (await take(store)).job.ledger == {"prompt_id": "p"}


async def test_a_completed_job_keeps_its_result_and_completing_twice_is_fine(store):
    await store.submit(spec("a"))
    lease = await take(store)
    done = await store.complete(lease, {"video": "v"})
    assert (done.state, done.result) == (JobState.SUCCEEDED, {"video": "v"})
    assert done.progress.value == 1
    assert done.finished_at is not None
    assert await store.complete(lease, {"video": "v"}) == done


async def test_who_lost_the_lease_changes_nothing(store):
    await store.submit(spec("a"))
    old = await take(store, lease_s=-1)
    assert await store.reap() == 1
    new = await take(store)
    for call in (
        store.extend(old, lease_s=5, progress=Progress(0.9)),
        store.complete(old, {}),
        store.fail(old, OOPS),
        store.release(old),
        store.canceled(old),
    ):
        with pytest.raises(LeaseLost):
            await call
    job = await store.get("a")
    assert (job.state, job.attempt, job.progress) == (JobState.RUNNING, new.attempt, Progress())


async def test_a_job_that_kills_its_worker_is_given_up(store):
    await store.submit(spec("a", max_attempts=2))
    for _ in range(2):
        assert await take(store, "w") is not None
        assert await store.reap("w") == 1
    job = await store.get("a")
    assert (job.state, job.error.code) == (JobState.FAILED, "attempts_exhausted")
    assert await take(store) is None


async def test_a_released_attempt_does_not_count(store):
    await store.submit(spec("a", max_attempts=1))
    await store.release(await take(store))
    lease = await take(store)
    assert lease.attempt == 1


async def test_a_retry_waits_and_ends_when_the_attempts_are_used_up(store):
    await store.submit(spec("a", max_attempts=2))
    job = await store.fail(await take(store), OOPS, retry_in=60)
    assert job.state is JobState.QUEUED
    assert await take(store) is None
    await store.submit(spec("b", max_attempts=1))
    assert (await store.fail(await take(store), OOPS, retry_in=0)).state is JobState.FAILED


async def test_a_queued_job_is_canceled_at_once_and_a_running_one_is_told(store):
    await store.submit(spec("a"))
    assert (await store.cancel("a")).state is JobState.CANCELED
    assert await take(store) is None
    await store.submit(spec("b"))
    lease = await take(store)
    assert (await store.cancel("b")).state is JobState.RUNNING
    assert (await store.extend(lease, lease_s=5)).cancel_requested
    assert (await store.canceled(lease)).state is JobState.CANCELED
    again = await store.cancel("b")
    assert again == await store.get("b")
    assert await store.cancel("nobody") is None


@pytest.mark.parametrize("way", ["release", "retry", "reap"])
async def test_a_canceled_job_never_goes_back_to_the_queue(store, way):
    await store.submit(spec("a"))
    lease = await take(store)
    await store.cancel("a")
    if way == "release":
        await store.release(lease)
    elif way == "retry":
        await store.fail(lease, OOPS, retry_in=0)
    else:
        await store.reap("w")
    assert (await store.get("a")).state is JobState.CANCELED


async def test_the_same_idempotency_key_gives_the_same_job(store):
    first, _ = await store.submit(spec("a", idempotency_key="k", request_hash="1"))
    same, new = await store.submit(spec("b", idempotency_key="k", request_hash="1"), max_queued=1)
    assert (same, new) == (first, False)
    with pytest.raises(IdempotencyConflict):
        await store.submit(spec("c", idempotency_key="k", request_hash="2"))


async def test_a_full_queue_refuses_and_running_jobs_do_not_count(store):
    await store.submit(spec("a"), max_queued=1)
    with pytest.raises(QueueFull) as caught:
        await store.submit(spec("b"), max_queued=1)
    assert caught.value.retry_after >= 1
    await take(store)
    await store.submit(spec("b"), max_queued=1)


async def test_changes_ring_the_bell(store, bell):
    with bell.listen("a") as rung:
        await store.submit(spec("a"))
        await take(store)
        assert rung.is_set()


async def test_jobs_survive_a_restart(tmp_path):
    path = tmp_path / "jobs.db"
    async with open_store(path, Bell()) as store:
        await store.submit(spec("a"))
        await take(store, "dead")
        await store.submit(spec("b"))
    async with open_store(path, Bell()) as store:
        assert await store.reap("dead") == 1
        leases = [await take(store) for _ in range(2)]
        assert {lease.job.id for lease in leases if lease} == {"a", "b"}


async def test_two_processes_share_one_file(tmp_path):
    path = tmp_path / "jobs.db"
    async with open_store(path, Bell()) as one, open_store(path, Bell()) as two:
        await one.submit(spec("a"))
        lease = await take(two)
        assert lease is not None
        assert await take(one) is None
        done = await two.complete(lease, {})
        assert await one.get("a") == done
