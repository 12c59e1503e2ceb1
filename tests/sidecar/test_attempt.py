"""What a running job may report: previews not too often, errors of a full disk by their name."""

from __future__ import annotations

import asyncio
import errno

import pytest

from sidecar.attempt import Attempt
from sidecar.backends.base import BackendError
from sidecar.bus import PREVIEW
from sidecar.jobs import JobSpec
from sidecar.values import JobError, JobState, Outputs

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


FULL = OSError(errno.ENOSPC, "No space left on device")


def encoder_error():
    error = BackendError(JobError("encoding_failed", "The video could not be written."))
    error.__cause__ = FULL
    return error


@pytest.mark.parametrize("error", [FULL, encoder_error()])
async def test_where_the_disk_is_full_the_job_waits(attempt, store, caplog, error):
    assert not await attempt.run(Fails(error))
    job = await store.get("a")
    assert (job.state, job.error) == (JobState.QUEUED, None)
    assert await store.lease("w", "demo", lease_s=60, wait_s=0) is None  # not at once
    assert "disk is full" in caplog.text
    assert "Traceback" not in caplog.text


async def test_where_it_stays_full_the_job_fails_by_that_name(store, bus):
    await store.submit(JobSpec("a", REQUEST, max_attempts=1))
    lease = await store.lease("w", "demo", lease_s=60, wait_s=0)
    assert not await Attempt(lease, store, lease_s=60, tick_s=0.05, server="http://s", bus=bus).run(
        Fails(FULL)
    )
    job = await store.get("a")
    assert (job.state, job.error.code) == (JobState.FAILED, "disk_full")


async def test_an_end_that_cant_be_stored_is_stored_later(attempt, store, monkeypatch):
    """The file of jobs may not grow; then it may."""
    monkeypatch.setattr("sidecar.attempt._UNSTORED_S", 0.05)
    await full(store)

    class Made:
        async def run(self, context):
            return Outputs("i", "v", {"large": "x" * 100_000})

    running = asyncio.create_task(attempt.run(Made()))
    await asyncio.sleep(0.3)
    assert not running.done()
    assert (await store.get("a")).state is JobState.RUNNING
    await store._db.execute_fetchall("pragma max_page_count = 1000000")
    assert await asyncio.wait_for(running, 10)
    assert (await store.get("a")).state is JobState.SUCCEEDED


async def full(store):
    """Let the file of jobs grow no more."""
    await store._db.execute_fetchall("pragma max_page_count = 1")


@pytest.mark.parametrize("recorded", [False, True])
async def test_what_was_recorded_stays_when_the_lease_is_lost(attempt, store, recorded):
    class Takes:
        async def run(self, context):
            outputs = {"image": "i", "video": "v"} if recorded else None
            await context.remember({"outputs": outputs})
            await store.reap("w")
            return Outputs("i", "v")

    assert await attempt.run(Takes())  # kept: whoever has the lease now may name them
