"""The bus's promises: in order, only to who listens, and bounded whatever happens."""

from __future__ import annotations

import asyncio

from sidecar.bus import PREVIEW, PROGRESS, STATUS, WAKE, Preview


def data(hints):
    return [hint.data for hint in hints]


async def test_who_listens_hears_of_that_job_in_order(any_bus):
    async with any_bus.listen("a") as one, any_bus.listen("a") as two:
        for number in range(3):
            any_bus.publish("a", STATUS, number)
            any_bus.publish("b", STATUS, "not ours")
        assert data(await one.heard(1)) == data(await two.heard(1)) == [0, 1, 2]
        assert await one.heard(0.01) == []


async def test_what_came_before_is_not_told(any_bus):
    any_bus.publish("a", STATUS, "before")
    async with any_bus.listen("a") as listener:
        assert await listener.heard(0.01) == []


async def test_a_waiting_listener_wakes(any_bus):
    async with any_bus.listen("a") as listener:
        waiting = asyncio.create_task(listener.heard(60))
        await asyncio.sleep(0.01)
        any_bus.publish("a", STATUS, 1)
        assert data(await waiting) == [1]


async def test_of_progress_and_previews_only_the_latest_is_kept(any_bus):
    async with any_bus.listen("a") as listener:
        any_bus.publish("a", STATUS, "running")
        for number in range(10_000):
            any_bus.publish("a", PROGRESS, number)
            any_bus.publish("a", PREVIEW, number)
        any_bus.publish("a", STATUS, "succeeded")
        hints = await listener.heard(1)
    assert [(hint.kind, hint.data) for hint in hints] == [
        (STATUS, "running"),
        (PROGRESS, 9999),
        (PREVIEW, 9999),
        (STATUS, "succeeded"),
    ]


async def test_even_states_without_end_are_bounded_and_the_last_is_kept(any_bus):
    async with any_bus.listen("a") as listener:
        for number in range(10_000):
            any_bus.publish("a", STATUS, number)
        hints = await listener.heard(1)
    assert len(hints) < 100
    assert hints[-1].data == 9999


async def test_everybody_can_be_woken(any_bus):
    async with any_bus.listen("a") as one, any_bus.listen("b") as two:
        any_bus.publish_all(WAKE)
        assert [hint.kind for hint in await one.heard(1) + await two.heard(1)] == [WAKE, WAKE]


def test_a_preview_is_written_once_for_all():
    preview = Preview(b"\xff\xd8jpeg")
    assert preview.text is preview.text
    assert preview.text == '{"mime": "image/jpeg", "data": "/9hqcGVn"}'
