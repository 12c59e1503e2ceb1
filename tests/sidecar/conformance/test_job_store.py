"""What can be read of jobs: lists with cursors, counts, places; and what may be forgotten."""

from __future__ import annotations

import base64

import pytest

from sidecar.jobs import WrongCursor
from sidecar.values import JobState
from sidecar.webhooks.outbox import Fate
from tests.sidecar.conformance.jobs_made import HOOK, OOPS, run, spec, take


async def pages(store, limit, **more):
    """Return the ids of all pages, one list each."""
    found, cursor = [], None
    while True:
        jobs, cursor = await store.list(limit=limit, cursor=cursor, **{"tenant": "", **more})
        found.append([job.id for job in jobs])
        if cursor is None:
            return found


async def test_the_newest_come_first_page_by_page(store):
    for name in "abcde":
        await store.submit(spec(name))
    assert await pages(store, 2) == [["e", "d"], ["c", "b"], ["a"]]
    assert await pages(store, 5) == [["e", "d", "c", "b", "a"]]
    assert await pages(store, 2, tenant="nobody") == [[]]


async def test_pages_stay_in_order_while_new_jobs_come(store):
    for name in "abcd":
        await store.submit(spec(name))
    _, cursor = await store.list(tenant="", limit=2)
    await store.submit(spec("e"))
    jobs, _ = await store.list(tenant="", limit=2, cursor=cursor)
    assert [job.id for job in jobs] == ["b", "a"]


async def test_lists_by_state_and_tenant(store):
    await run(store, "done")
    await store.submit(spec("waits"))
    await store.submit(spec("theirs", tenant="t"))
    await store.cancel("waits")
    await store.submit(spec("next"))
    assert await pages(store, 9, status=[JobState.SUCCEEDED]) == [["done"]]
    two = [JobState.SUCCEEDED, JobState.CANCELED]
    assert await pages(store, 1, status=two) == [["waits"], ["done"]]
    assert await pages(store, 9, status=[JobState.RUNNING]) == [[]]
    assert await pages(store, 9, tenant="t") == [["theirs"]]


@pytest.mark.parametrize(
    "cursor", ["", "x", "1.5", "\u044f", "=", base64.b64encode(b"1.5; drop").decode(), "MS41="]
)
async def test_a_cursor_that_is_none_of_ours_is_refused(store, cursor):
    with pytest.raises(WrongCursor):
        await store.list(tenant="", cursor=cursor)


async def test_counts_by_lane_and_state(store, clock):
    assert await store.stats() == {}
    await run(store, "done")
    clock.now += 5
    await store.submit(spec("old"))
    clock.now += 5
    await store.submit(spec("new"))
    await store.submit(spec("other", lane="comfyui"))
    await take(store, lane="comfyui")
    stats = await store.stats()
    assert stats["demo"].counts[JobState.QUEUED] == await store.queued("demo") == 2
    assert stats["demo"].counts[JobState.SUCCEEDED] == 1
    assert stats["demo"].counts[JobState.FAILED] == 0
    assert stats["demo"].oldest_queued_at == clock.now - 5
    assert stats["comfyui"].counts[JobState.RUNNING] == 1
    assert stats["comfyui"].oldest_queued_at is None
    assert await store.queued("comfyui") == 0


async def test_old_jobs_that_are_over_are_forgotten(store, clock):
    await run(store, "old")
    await run(store, "told", webhook=HOOK)
    await store.submit(spec("waits"))
    clock.now += 100
    await run(store, "young", priority=9)
    expired = await store.expired(finished_before=clock.now - 50, limit=9)
    assert [job.id for job in expired] == ["old"]
    assert await store.expired(finished_before=clock.now - 50, limit=0) == []
    assert await store.forget(["old", "told", "waits", "nobody"]) == 1
    assert await store.get("old") is None
    assert await store.get("told") is not None
    delivery = await store.outbox.claim(hold_s=9)
    await store.outbox.settle(delivery, Fate.DELIVERED)
    assert await store.forget(["told"]) == 1
    assert await store.get("waits") is not None


async def test_the_key_of_a_forgotten_job_is_free(store):
    await run(store, "a", idempotency_key="k", request_hash="1")
    await store.forget(["a"])
    _, new = await store.submit(spec("b", idempotency_key="k", request_hash="2"))
    assert new


async def test_media_in_use(store):
    await run(store, "done")
    await store.submit(spec("waits"))
    await store.submit(spec("failed", priority=1))
    await store.fail(await take(store), OOPS)
    await store.submit(spec("runs", priority=1))
    lease = await take(store)
    outputs = {"image": "runs-1-i.png", "video": "runs-1-v.mp4"}
    await store.extend(lease, lease_s=5, ledger={"outputs": outputs})
    needed = {"waits.png", "runs.png", *outputs.values()}
    assert await store.in_use(finished=False) == needed
    assert await store.in_use() == needed | {"done-i.png", "done.mp4"}
