"""Webhooks to be told: written with the end of a job, at least once, by one at a time."""

from __future__ import annotations

import pytest

from sidecar.webhooks.outbox import Fate
from tests.sidecar.conformance.jobs_made import HOOK, OOPS, run, spec, take


async def claimed(store, **more):
    found = []
    while (delivery := await store.outbox.claim(hold_s=60, **more)) is not None:
        found.append(delivery)
    return found


async def ended(store, way):
    await store.submit(spec("a", webhook=HOOK, max_attempts=1))
    if way == "canceled while it waits":
        return await store.cancel("a")
    lease = await take(store)
    if way == "succeeded":
        return await store.complete(lease, {})
    if way == "failed":
        return await store.fail(lease, OOPS)
    if way == "given up":
        return await store.reap("w")
    await store.cancel("a")
    return await (store.reap("w") if way == "canceled by a kill" else store.canceled(lease))


@pytest.mark.parametrize(
    ("way", "kind"),
    [
        ("succeeded", "job.succeeded"),
        ("failed", "job.failed"),
        ("given up", "job.failed"),
        ("canceled", "job.canceled"),
        ("canceled while it waits", "job.canceled"),
        ("canceled by a kill", "job.canceled"),
    ],
)
async def test_every_end_is_told_once(store, way, kind):
    await ended(store, way)
    (delivery,) = await claimed(store)
    assert (delivery.job_id, delivery.kind, delivery.attempts) == ("a", kind, 1)
    assert (delivery.url, delivery.host, delivery.base) == (HOOK.url, HOOK.host, HOOK.base)
    assert delivery.id.startswith("msg_")


async def test_a_job_too_long_in_the_queue_is_told(store, clock):
    await store.submit(spec("a", webhook=HOOK))
    await store.overdue("demo", OOPS, created_before=clock.now + 1)
    assert [delivery.kind for delivery in await claimed(store)] == ["job.failed"]


async def test_who_asked_for_nothing_is_told_nothing_and_completing_twice_tells_once(store):
    await run(store, "a")
    await store.submit(spec("b", webhook=HOOK))
    lease = await take(store)
    assert await claimed(store) == []
    for _ in range(2):
        await store.complete(lease, {})
    assert len(await claimed(store)) == 1


async def test_what_was_claimed_and_not_settled_is_due_again(store, clock):
    await run(store, "a", webhook=HOOK)
    (first,) = await claimed(store)
    clock.now += 59
    assert await claimed(store) == []
    clock.now += 2
    (second,) = await claimed(store)
    assert (second.id, second.attempts) == (first.id, 2)


async def test_a_settled_one_never_comes_back_and_a_postponed_one_does(store, clock):
    for name in "abc":
        await run(store, name, webhook=HOOK)
    one, two, three = await claimed(store)
    await store.outbox.settle(one, Fate.DELIVERED, "status 200")
    await store.outbox.settle(two, Fate.GONE, "status 410")
    await store.outbox.postpone(three, 500, "status 500")
    clock.now += 499
    assert await claimed(store) == []
    clock.now += 2
    assert [delivery.id for delivery in await claimed(store)] == [three.id]


async def test_a_crowded_host_does_not_hold_up_the_others(store):
    await run(store, "a", webhook=HOOK)
    await store.submit(spec("b", webhook=HOOK.__class__("http://b/", "b", "")))
    await store.cancel("b")
    found = await claimed(store, but_hosts=[HOOK.host])
    assert [delivery.job_id for delivery in found] == ["b"]


async def test_the_outbox_survives_a_restart(opened):
    async with opened() as store:
        await run(store, "a", webhook=HOOK)
    async with opened() as store:
        assert len(await claimed(store)) == 1
