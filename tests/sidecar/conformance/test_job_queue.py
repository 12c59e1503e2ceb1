"""The queue's promises: one owner, fencing, retries, cancelling, order, idempotency, restarts."""

from __future__ import annotations

import asyncio

import pytest

from sidecar.bus import PROGRESS, STATUS
from sidecar.jobs import IdempotencyConflict, LeaseLost, QueueFull
from sidecar.values import JobState, Progress
from tests.sidecar.conformance.jobs_made import HOOK, OOPS, half, spec, take, taken_order


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
    assert await store.positions(["b", "nobody"]) == {"b": 2}
    taken = [(await take(store)).job.id for _ in range(3)]
    assert taken == ["c", "a", "b"]
    assert await take(store) is None
    assert await store.positions(["b"]) == {}


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


async def test_who_lost_the_lease_changes_nothing(store, clock):
    await store.submit(spec("a"))
    old = await take(store, lease_s=5)
    assert await store.reap() == 0
    clock.now += 6
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
    assert (lease.attempt, lease.job.tries) == (2, 1)


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


async def test_changes_ring_the_bell(store, bus):
    async with bus.listen("a") as listener:
        await store.submit(spec("a"))
        await take(store)
        (hint,) = await listener.heard(1)
    assert (hint.job_id, hint.kind, hint.data) == ("a", STATUS, await store.get("a"))


async def test_progress_is_told_apart_and_a_heartbeat_is_not_told(store, bus):
    await store.submit(spec("a"))
    lease = await take(store)
    async with bus.listen("a") as listener:
        await store.extend(lease, lease_s=5)
        assert await listener.heard(0.01) == []
        job = await store.extend(lease, lease_s=5, progress=half())
        (hint,) = await listener.heard(1)
    assert (hint.kind, hint.data) == (PROGRESS, job)


async def test_progress_never_goes_back_nor_reaches_the_end_before_the_result(store):
    await store.submit(spec("a"))
    lease = await take(store)
    await store.extend(lease, lease_s=5, progress=half(0.6, node="3", step=2, steps=4))
    assert (await store.extend(lease, lease_s=5, progress=half(0.2))).progress == half(0.6)
    job = await store.extend(lease, lease_s=5, progress=Progress(7.0, "more than all"))
    assert job.progress == Progress(0.99, "more than all")
    assert (await store.fail(lease, OOPS, retry_in=0)).progress == Progress(0.99)
    lease = await take(store)
    assert (await store.extend(lease, lease_s=5, progress=half(0.1))).progress.value == 0.99
    assert (await store.complete(lease, {})).progress == Progress(1.0)


async def test_progress_survives_the_kill_of_its_worker_but_its_steps_do_not(store):
    await store.submit(spec("a"))
    lease = await take(store)
    await store.extend(lease, lease_s=5, progress=half(0.6, node="3", step=2, steps=4))
    await store.reap("w")
    assert (await store.get("a")).progress == Progress(0.6)


async def test_what_an_attempt_said_is_not_left_standing_after_it(store):
    await store.submit(spec("a"))
    lease = await take(store, "w")
    await store.extend(lease, lease_s=5, progress=half(0.6, node="3", step=2, steps=4))
    (lease,) = await store.adopt("w", "demo", lease_s=5)
    assert lease.job.progress == Progress(0.6)
    await store.extend(lease, lease_s=5, progress=half(0.7))
    assert (await store.fail(lease, OOPS)).progress == Progress(0.7)


async def test_tries_that_come_further_do_not_count_against_the_limit(store):
    await store.submit(spec("a", max_attempts=2))
    for tenth in range(1, 9):
        lease = await take(store)
        await store.extend(lease, lease_s=5, progress=half(tenth / 10))
        assert await store.reap("w") == 1
    lease = await take(store)
    await store.extend(lease, lease_s=5, progress=half(0.8))
    await store.reap("w")
    assert (await store.get("a")).error.code == "attempts_exhausted"


async def test_an_attempt_that_goes_on_with_what_was_begun_is_no_try(store):
    await store.submit(spec("a", max_attempts=2))
    for _ in range(5):
        lease = await take(store)
        assert (await store.extend(lease, lease_s=5, ledger={}, uncounted=True)).tries == 0
        await store.reap("w")
    for _ in range(2):
        await take(store)
        await store.reap("w")
    assert (await store.get("a")).state is JobState.FAILED


async def test_a_fencing_token_is_never_used_twice(store):
    await store.submit(spec("a"))
    first = await take(store)
    await store.release(first)
    second = await take(store)
    assert second.attempt > first.attempt
    with pytest.raises(LeaseLost):
        await store.complete(first, {})


async def test_a_restarted_worker_adopts_what_it_ran(store):
    for name in "abcd":
        await store.submit(spec(name))
    old = [await take(store, "w") for _ in "ab"]
    await take(store, "another")
    await store.extend(old[0], lease_s=5, ledger={"prompt_id": "p"})
    await store.cancel("b")
    adopted = await store.adopt("w", "demo", lease_s=30)
    assert [lease.job.id for lease in adopted] == ["a", "b"]
    assert adopted[0].job.ledger == {"prompt_id": "p"}
    assert adopted[1].job.cancel_requested
    for was, now in zip(old, adopted, strict=True):
        with pytest.raises(LeaseLost):
            await store.extend(was, lease_s=5)
        await store.extend(now, lease_s=5)
    assert await store.adopt("w", "comfyui", lease_s=30) == []


async def test_what_had_too_many_tries_is_not_adopted(store):
    await store.submit(spec("a", max_attempts=1))
    await take(store)
    assert await store.adopt("w", "demo", lease_s=30) == []
    await store.reap("w")
    assert (await store.get("a")).state is JobState.FAILED


async def test_the_tenant_with_the_fewest_running_jobs_is_next(store):
    for name in ("a1", "a2", "a3"):
        await store.submit(spec(name, tenant="a"))
    await store.submit(spec("b1", tenant="b"))
    await store.submit(spec("c1", tenant="c"))
    assert await taken_order(store, 5) == ["a1", "b1", "c1", "a2", "a3"]


async def test_with_one_slot_tenants_take_turns(store, clock):
    for number in range(4):
        await store.submit(spec(f"a{number}", tenant="a"))
    for number in range(2):
        await store.submit(spec(f"b{number}", tenant="b"))
    places = await store.positions(["a0", "b0", "a1", "b1", "a2", "a3"])
    order = []
    for _ in range(6):
        clock.now += 1
        lease = await take(store)
        order.append(lease.job.id)
        await store.complete(lease, {})
    assert order == ["a0", "b0", "a1", "b1", "a2", "a3"]
    assert sorted(places, key=lambda name: places[name]) == order


async def test_priority_goes_before_fairness(store):
    await store.submit(spec("b", tenant="b"))
    for name in ("a1", "a2"):
        await store.submit(spec(name, tenant="a", priority=1))
    assert await taken_order(store, 3) == ["a1", "a2", "b"]


async def test_a_route_without_room_does_not_hold_up_the_others(store):
    await store.submit(spec("a", route=" wan", priority=5))
    await store.submit(spec("b", route=" camera-motion"))
    assert await taken_order(store, 2, skip=[" wan"]) == ["b"]
    assert await taken_order(store, 1, skip=["other"]) == ["a"]


async def test_a_retry_that_waits_does_not_hold_up_its_tenant(store):
    await store.submit(spec("a", priority=5))
    await store.submit(spec("b"))
    await store.fail(await take(store), OOPS, retry_in=60)
    assert await taken_order(store, 1) == ["b"]


async def test_jobs_that_wait_or_last_too_long_fail(store, clock):
    await store.submit(spec("never"))
    await store.submit(spec("other lane", lane="comfyui"))
    await store.submit(spec("again", priority=1))
    await store.fail(await take(store), OOPS, retry_in=0)
    clock.now += 100
    await store.submit(spec("young"))
    assert await store.overdue("demo", OOPS, created_before=clock.now - 50) == 1
    assert (await store.get("never")).state is JobState.FAILED
    assert (await store.get("never")).error == OOPS
    assert await store.overdue("demo", OOPS, started_before=clock.now - 50) == 1
    assert (await store.get("again")).finished_at == clock.now
    assert await taken_order(store, 1) == ["young"]
    assert await store.overdue("demo", OOPS, created_before=clock.now + 1) == 0


async def test_how_long_to_wait_is_measured(store, clock):
    for name in ("a", "b"):
        await store.submit(spec(name))
        lease = await take(store)
        clock.now += 30
        await store.complete(lease, {})
    for name in "cdefgh":
        await store.submit(spec(name))
    for _ in range(2):
        await take(store)
    with pytest.raises(QueueFull) as caught:
        await store.submit(spec("i"), max_queued=4)
    assert caught.value.retry_after == pytest.approx(30 * 4 / 2)


async def test_a_replay_works_though_the_queue_is_full_and_keys_belong_to_tenants(store):
    first, _ = await store.submit(spec("a", idempotency_key="k", request_hash="1"))
    same, new = await store.submit(spec("b", idempotency_key="k", request_hash="1"), max_queued=1)
    assert (same, new) == (first, False)
    other, new = await store.submit(spec("c", idempotency_key="k", tenant="t", request_hash="2"))
    assert new
    assert await store.find("t", "k") == other
    assert await store.find("t", "unknown") is None


async def test_a_tenant_with_as_many_waiting_as_it_may_is_refused_and_nobody_else(store, clock):
    for _ in range(2):
        await store.submit(spec("ended", tenant="u"))
        clock.now += 40
        lease = await take(store)
        clock.now += 40
        await store.complete(lease, {})
        await store.forget(["ended"])
    for name in "abc":
        await store.submit(spec(name, tenant="t", idempotency_key=name), max_own=3)
    await store.submit(spec("other", tenant="u", lane="comfyui"), max_own=1)
    with pytest.raises(QueueFull) as caught:
        await store.submit(spec("d", tenant="t", lane="comfyui"), max_own=3, max_queued=9)
    assert caught.value.own
    assert caught.value.retry_after >= 1
    same, new = await store.submit(spec("e", tenant="t", idempotency_key="a"), max_own=3)
    assert (same.id, new) == ("a", False)
    with pytest.raises(QueueFull) as caught:
        await store.submit(spec("f", tenant="v"), max_own=3, max_queued=3)
    assert not caught.value.own
    await take(store)
    assert (await store.submit(spec("g", tenant="t"), max_own=3))[1]
    assert await store.queued_of("t") == 3


async def test_what_a_tenants_jobs_made(store):
    for name, tenant in (("a", "t"), ("b", "t"), ("c", "u")):
        await store.submit(spec(name, tenant=tenant))
    for name in ("a", "c"):
        lease = await take(store)
        name = lease.job.id
        await store.complete(lease, {"image": f"{name}-i.png", "video": f"{name}-v.mp4"})
    made = await store.results_of("t") | await store.results_of("u")
    assert len(made) == 4
    assert all(key.startswith(("a-", "b-")) for key in await store.results_of("t"))
    assert await store.results_of("x") == frozenset()


async def test_one_of_many_with_the_same_key_makes_the_job(store):
    submitted = [
        store.submit(spec(f"j{n}", idempotency_key="k", request_hash="1")) for n in range(20)
    ]
    answers = await asyncio.gather(*submitted)
    assert sum(new for _, new in answers) == 1
    assert len({job.id for job, _ in answers}) == 1


async def test_jobs_survive_a_restart(opened):
    async with opened() as store:
        await store.submit(spec("a", webhook=HOOK, asked_hash="x", route="r"))
        await take(store, "dead")
        await store.submit(spec("b"))
    async with opened() as store:
        assert (await store.get("a")).spec == spec("a", webhook=HOOK, asked_hash="x", route="r")
        assert await store.reap("dead") == 1
        assert set(await taken_order(store, 3)) == {"a", "b"}


async def test_two_processes_share_the_jobs(opened):
    async with opened() as one, opened() as two:
        await one.submit(spec("a"))
        lease = await take(two)
        assert lease is not None
        assert await take(one) is None
        done = await two.complete(lease, {})
        assert await one.get("a") == done
