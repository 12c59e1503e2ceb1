"""The worker: what becomes of a job when its backend ends, fails, is stopped or loses the lease."""

from __future__ import annotations

import asyncio

import pytest

from sidecar.backends.base import BackendError
from sidecar.dispatcher import Dispatcher, Lane, Pace
from sidecar.jobs import JobSpec
from sidecar.room import Slots
from sidecar.values import GenerateRequest, JobError, JobState, Outputs, Progress
from tests.waiting import eventually

REQUEST = {"image": "a.png", "text": "x", "pipeline": "p", "server": None, "params": {"seed": 1}}
FAST = Pace(lease_s=5, tick_s=0.02, wait_s=0.2)


class Scripted:
    """A backend that does what the test's function says."""

    def __init__(self, act):
        self.act = act
        self.started = asyncio.Event()
        self.contexts = []
        self.stopped = 0

    async def run(self, context):
        self.contexts.append(context)
        self.started.set()
        try:
            return await self.act(context)
        except asyncio.CancelledError:
            await asyncio.sleep(0)  # cleaning up takes a moment
            self.stopped += 1
            raise


@pytest.fixture
def serving(store, media):
    def start(backend, slots=1, pace=FAST):
        return Dispatcher(store, media, "w", pace).serving([Lane("demo", backend, Slots(slots))])

    return start


async def reached(store, bus, name, *states):
    async with bus.listen(name) as listener:
        while (job := await store.get(name)).state not in states:
            await listener.heard(1)
        return job


async def forever(_):
    await asyncio.Event().wait()


async def keep(media, context, name="image.png"):
    async def data():
        yield b"x"

    key = context.output_key(name)
    await media.put_stream(key, data())
    return key


async def test_a_job_is_run_and_its_outputs_are_kept(store, bus, media, serving):
    async def act(context):
        assert context.request == GenerateRequest(**REQUEST)
        key = await keep(media, context)
        return Outputs(key, key, demo=True)

    async with serving(Scripted(act)):
        await store.submit(JobSpec("a", REQUEST))
        job = await reached(store, bus, "a", JobState.SUCCEEDED)
    assert job.result == {"image": "a-1-image.png", "video": "a-1-image.png"} | {
        "workflow_response": None,
        "demo": True,
    }
    assert await media.stat("a-1-image.png") is not None


async def test_progress_is_stored_and_never_goes_back(store, bus, serving):
    go_on = asyncio.Event()

    async def act(context):
        context.progress(Progress(0.6, "most"))
        context.progress(Progress(0.2, "less"))
        await go_on.wait()
        context.progress(Progress(7.0, "too much"))
        await forever(context)

    async with serving(Scripted(act)):
        await store.submit(JobSpec("a", REQUEST))
        async with bus.listen("a") as listener:
            while (await store.get("a")).progress.value == 0:
                await listener.heard(1)
            assert (await store.get("a")).progress == Progress(0.6, "less")
            go_on.set()
            while (await store.get("a")).progress.value < 0.9:
                await listener.heard(1)
        assert (await store.get("a")).progress == Progress(0.99, "too much")


@pytest.mark.parametrize("kind", ["known", "unforeseen"])
async def test_a_failed_job_says_why_and_leaves_no_file(store, bus, media, serving, caplog, kind):
    async def act(context):
        await keep(media, context)
        if kind == "known":
            raise BackendError(JobError("oops", "It broke.", status=400))
        raise ZeroDivisionError("secret /path")

    async with serving(Scripted(act)):
        await store.submit(JobSpec("a", REQUEST))
        job = await reached(store, bus, "a", JobState.FAILED)
    expected = ("oops", 400) if kind == "known" else ("internal_error", 500)
    assert (job.error.code, job.error.status) == expected
    assert "secret" not in job.error.error + job.error.details
    assert ("ZeroDivisionError" in caplog.text) == (kind == "unforeseen")
    assert await media.stat("a-1-image.png") is None


async def test_a_retry_runs_again_with_its_ledger(store, bus, serving):
    async def act(context):
        if context.job.attempt == 1:
            await context.remember({"prompt_id": "p"})
            raise BackendError(JobError("busy", "Try again."), retry_in=0)
        assert context.job.ledger == {"prompt_id": "p"}
        return Outputs("i", "v")

    async with serving(Scripted(act)):
        await store.submit(JobSpec("a", REQUEST))
        job = await reached(store, bus, "a", JobState.SUCCEEDED)
    assert job.attempt == 2


async def test_canceling_stops_the_backend(store, bus, serving):
    backend = Scripted(forever)
    async with serving(backend):
        await store.submit(JobSpec("a", REQUEST))
        await backend.started.wait()
        await store.cancel("a")
        await reached(store, bus, "a", JobState.CANCELED)
    assert backend.stopped == 1


async def test_a_job_longer_than_its_lease_keeps_it(store, bus, serving):
    async def act(context):
        await asyncio.sleep(0.6)
        return Outputs("i", "v")

    backend = Scripted(act)
    async with serving(backend, pace=Pace(lease_s=0.3, tick_s=0.05, wait_s=0.05)):
        await store.submit(JobSpec("a", REQUEST))
        await reached(store, bus, "a", JobState.SUCCEEDED)
    assert len(backend.contexts) == 1


async def test_who_lost_the_lease_is_stopped_and_the_other_attempt_counts(store, serving):
    backend = Scripted(forever)
    async with serving(backend, pace=Pace(lease_s=5, tick_s=0.3, wait_s=0.2)):
        await store.submit(JobSpec("a", REQUEST))
        await backend.started.wait()
        await store.reap("w")
        other = await store.lease("other", "demo", lease_s=30, wait_s=0)
        await eventually(lambda: backend.stopped)
        assert (await store.get("a")).owner == "other"
        assert (await store.complete(other, {})).state is JobState.SUCCEEDED
    assert len(backend.contexts) == 1


async def test_at_most_as_many_run_as_there_are_slots(store, bus, serving):
    running, most = 0, 0

    async def act(_):
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.03)
        running -= 1
        return Outputs("i", "v")

    async with serving(Scripted(act), slots=2):
        for name in "abcde":
            await store.submit(JobSpec(name, REQUEST))
        for name in "abcde":
            await reached(store, bus, name, JobState.SUCCEEDED)
    assert most == 2


async def test_on_a_clean_shutdown_jobs_go_back_to_the_queue(store, serving):
    backend = Scripted(forever)
    async with serving(backend):
        await store.submit(JobSpec("a", REQUEST))
        await backend.started.wait()
    job = await store.get("a")
    assert (backend.stopped, job.state, job.tries) == (1, JobState.QUEUED, 0)


async def test_jobs_of_a_killed_process_are_taken_up_at_the_next_start(store, bus, serving):
    await store.submit(JobSpec("a", REQUEST))
    assert await store.lease("w", "demo", lease_s=3600, wait_s=0) is not None

    async def act(_):
        return Outputs("i", "v")

    async with serving(Scripted(act)):
        job = await reached(store, bus, "a", JobState.SUCCEEDED)
    assert job.attempt == 2
