"""A cancellation always gets through, also in the moment when what is waited for happened."""

from __future__ import annotations

import asyncio

import pytest

from sidecar.waiting import happened


async def test_it_tells_whether_the_event_came():
    event = asyncio.Event()
    assert not await happened(event, 0.01)
    asyncio.get_running_loop().call_later(0.01, event.set)
    assert await happened(event, 5)
    assert await happened(event, 0)


async def test_a_cancellation_in_the_same_moment_is_not_swallowed():
    event = asyncio.Event()
    task = asyncio.create_task(happened(event, 60))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    event.set()
    await asyncio.sleep(0)  # the event's waiter is done, the task has not seen it yet
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_nothing_is_left_waiting():
    before = asyncio.all_tasks()
    for _ in range(10):
        await happened(asyncio.Event(), 0)
    await asyncio.sleep(0)
    assert asyncio.all_tasks() == before
