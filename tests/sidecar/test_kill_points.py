"""The service killed at each step of a job, before and after the step was stored: one run, one
result, nothing left behind; with a ComfyUI that stays, and with one that is killed too.

A killed process is one whose queue never answers again: nothing it does later is stored. Its
successor works on the same files.
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import asdict

import pytest

from sidecar.comfy.client import new_session
from sidecar.dispatcher import Dispatcher, Lane, Pace
from sidecar.housekeeping.keeper import Keep, Keeper
from sidecar.jobs import JobSpec
from sidecar.manifest import bundled_folder, load_pipelines
from sidecar.pipelines import check_params
from sidecar.pool.pool import Watch
from sidecar.settings import Settings
from sidecar.values import GenerateRequest, JobState
from sidecar.wiring import comfy_side
from tests.fake_comfy import video
from tests.waiting import found

FAST = Pace(lease_s=5, tick_s=0.05, wait_s=0.2, sweep_s=0.2)
STEPS = ("submitting", "accepted", "following", "fetching", "recorded", "completed")
PIPELINES = load_pipelines([bundled_folder()])


class Mortal:
    """The queue of a process that dies at a step: just before it is stored, or just after."""

    def __init__(self, queue, step, when):
        self._queue = queue
        self._step = step
        self._when = when
        self.died = asyncio.Event()

    def __getattr__(self, name):
        method = getattr(self._queue, name)

        async def call(*args, **more):
            step = "completed" if name == "complete" else (more.get("ledger") or {}).get("step")
            if self.died.is_set():
                await asyncio.Event().wait()
            if step != self._step:
                return await method(*args, **more)
            if self._when == "after":
                await method(*args, **more)
            self.died.set()
            return await asyncio.Event().wait()

        return call


@pytest.fixture
def process(tmp_path, fake, media):
    """Return a context in which a process works on the queue that it is given."""

    @asynccontextmanager
    async def start(queue):
        settings = Settings(data_dir=tmp_path, comfyui_url=fake.url, comfyui_input_dir="-")
        watch = Watch(look_s=0.05, away_look_s=0.05)
        async with (
            new_session() as session,
            comfy_side(settings, session, media, PIPELINES, watch, alone=True) as comfy,
        ):
            worker = Dispatcher(queue, media, "main", FAST)
            serving = worker.serving([Lane("comfyui", comfy.backend, comfy.pool)])
            task = asyncio.create_task(_forever(serving))
            try:
                yield comfy
            finally:
                task.cancel()
                await asyncio.wait({task}, timeout=0.5)

    return start


async def _forever(serving):
    async with serving:
        await asyncio.Event().wait()


@pytest.fixture
def submit(store, media, png):
    async def send():
        async def chunks():
            yield png

        key = f"{'a' * 64}.png"
        await media.put_stream(key, chunks())
        request = GenerateRequest(
            key,
            "pan left",
            "camera-motion",
            "",
            check_params(PIPELINES["camera-motion"], {"text": "pan left"}),
        )
        name = "0" * 32
        await store.submit(JobSpec(name, asdict(request), lane="comfyui", route=request.route))
        return name

    return send


async def succeeded(store, name):
    async def look():
        job = await store.get(name)
        return job if job.state.terminal else None

    job = await found(look, 20)
    assert job.state is JobState.SUCCEEDED, job.error
    return job


async def check_result(store, media, name, tmp_path):
    job = await succeeded(store, name)
    async with media.local(job.result["video"]) as path:
        assert await asyncio.to_thread(path.read_bytes) == video()
    assert await media.stat(job.result["image"]) is not None
    await Keeper(store, media, list, Keep(young_s=-1.0)).tidy()
    made = {job.result["image"], job.result["video"]}
    left, unfinished = await asyncio.to_thread(_names, tmp_path)
    assert left == {*made, f"{'a' * 64}.png"}
    assert not unfinished
    return job


def _names(folder):
    return [{path.name for path in (folder / name).iterdir()} for name in ("media", "unfinished")]


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("step", STEPS)
async def test_killed_at_a_step(step, when, fake, store, media, process, submit, tmp_path):
    name = await submit()
    mortal = Mortal(store, step, when)
    async with process(mortal):
        await asyncio.wait_for(mortal.died.wait(), 10)
        async with process(store):
            job = await check_result(store, media, name, tmp_path)
    assert len(fake.posts) == 1
    assert fake.completed.total() == 1
    assert job.result["workflow_response"]["prompt_id"] == fake.posts[0]["prompt_id"]


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("step", STEPS)
async def test_killed_at_a_step_and_comfyui_too(
    step, when, fake, store, media, process, submit, tmp_path
):
    name = await submit()
    mortal = Mortal(store, step, when)
    async with process(mortal):
        await asyncio.wait_for(mortal.died.wait(), 10)
        await fake.restart()
        async with process(store):
            await check_result(store, media, name, tmp_path)
    fetched = (step, when) in (("fetching", "after"), ("recorded", "before"))
    if fetched or step == "completed" or (step, when) == ("recorded", "after"):
        assert len(fake.posts) == 1
    assert len(fake.posts) <= 2


async def test_killed_while_the_answer_to_the_post_is_lost(
    fake, store, media, process, submit, tmp_path
):
    fake.faults.lose_answers = 1
    name = await submit()
    mortal = Mortal(store, "unknown", "after")
    async with process(mortal):
        await asyncio.wait_for(mortal.died.wait(), 10)
        async with process(store):
            await check_result(store, media, name, tmp_path)
    assert len(fake.posts) == fake.completed.total() == 1


async def test_killed_again_and_again_while_comfyui_works(
    fake, store, media, process, submit, tmp_path
):
    fake.hold.clear()
    name = await submit()
    for _ in range(12):  # more often than a job is tried
        mortal = Mortal(store, "following", "after")
        async with process(mortal):
            await asyncio.wait_for(mortal.died.wait(), 10)
    fake.hold.set()
    async with process(store):
        await check_result(store, media, name, tmp_path)
    assert len(fake.posts) == fake.completed.total() == 1


async def test_the_next_process_hears_of_what_an_earlier_one_sent(
    fake, store, media, process, submit
):
    fake.hold.clear()
    await submit()
    mortal = Mortal(store, "following", "after")
    async with process(mortal):
        await asyncio.wait_for(mortal.died.wait(), 10)
    client_id = fake.posts[0]["client_id"]
    await found(lambda: _gone(fake, client_id))
    async with process(store):
        await found(lambda: _there(fake, client_id))
    fake.hold.set()


async def _gone(fake, client_id):
    return client_id not in fake.sockets


async def _there(fake, client_id):
    return client_id in fake.sockets


async def test_files_that_are_gone_after_a_restart_are_made_again(
    fake, store, media, process, submit, tmp_path
):
    name = await submit()
    mortal = Mortal(store, "fetching", "after")
    async with process(mortal):
        await asyncio.wait_for(mortal.died.wait(), 10)
        for key in [key for key in fake.files if key[0] == "output"]:
            del fake.files[key]
        async with process(store):
            await check_result(store, media, name, tmp_path)
    assert len(fake.posts) == 2
