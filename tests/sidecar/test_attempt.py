"""What a running job may report: previews not too often, errors of a full disk by their name."""

from __future__ import annotations

import asyncio
import errno

import pytest

from sidecar.attempt import Attempt
from sidecar.bus import PREVIEW
from sidecar.jobs import JobSpec
from sidecar.values import JobState, Outputs

JPEG = b"\xff\xd8\xff\xe0 picture"
REQUEST = {"image": "a.png", "text": "x", "pipeline": "p", "server": None, "params": {}}


@pytest.fixture
async def attempt(store, bus):
    await store.submit(JobSpec("a", REQUEST))
    lease = await store.lease("w", "demo", lease_s=60, wait_s=0)
    return Attempt(lease, store, lease_s=60, tick_s=0.05, server="http://s", bus=bus)


async def test_previews_are_told_but_not_too_often_and_jpeg_only(attempt, bus):
    async with bus.listen("a") as listener:
        attempt.preview(b"\x89PNG", "image/png")
        attempt.preview(b"no picture", "image/jpeg")
        assert await listener.heard(0.01) == []
        attempt.preview(JPEG, "image/jpeg")
        attempt.preview(JPEG + b"2", "image/jpeg")
        (hint,) = await listener.heard(1)
        assert (hint.kind, hint.data.data, hint.data.mime) == (PREVIEW, JPEG, "image/jpeg")
        await asyncio.sleep(0.55)
        attempt.preview(JPEG + b"3", "image/jpeg")
        (hint,) = await listener.heard(1)
        assert hint.data.data == JPEG + b"3"


class Fails:
    def __init__(self, error):
        self.error = error

    async def run(self, context):
        assert context.server == "http://s"
        raise self.error


async def test_a_full_disk_is_called_so(attempt, store):
    assert not await attempt.run(Fails(OSError(errno.ENOSPC, "No space left on device")))
    job = await store.get("a")
    assert (job.state, job.error.code) == (JobState.FAILED, "disk_full")


@pytest.mark.parametrize("recorded", [False, True])
async def test_what_was_recorded_stays_when_the_lease_is_lost(attempt, store, recorded):
    class Takes:
        async def run(self, context):
            outputs = {"image": "i", "video": "v"} if recorded else None
            await context.remember({"outputs": outputs})
            await store.reap("w")
            return Outputs("i", "v")

    assert await attempt.run(Takes())  # kept: whoever has the lease now may name them
