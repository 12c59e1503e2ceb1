"""Jobs that fail, each in its way: the codes that they hold then."""

from __future__ import annotations

import asyncio
import errno
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from sidecar.backends.base import BackendError
from sidecar.backends.worker import render
from sidecar.bus import LocalBus
from sidecar.comfy.errors import RunFailed
from sidecar.comfy.follow import PromptRun
from sidecar.jobs import JobSpec
from sidecar.keys import MEDIA, STORE
from sidecar.openapi.samples import picture
from sidecar.store import open_store
from sidecar.values import GenerateRequest
from tests.fake_comfy import FakeComfy, Faults
from tests.openapi.described import Checked
from tests.openapi.provoking import World, begun, provokes, sent
from tests.sidecar.jobs_http import LONG, canceled, posted, when
from tests.sidecar.prompt_runs import QUICK, runs_on
from tests.waiting import eventually

ID = "0" * 32
BROKEN: dict[str, dict[str, Any]] = {
    "node_failed": {"error": {"exception_message": "no", "exception_type": "E"}},
    "out_of_memory": {"error": {"exception_message": "CUDA out of memory", "exception_type": "E"}},
    "disk_full": {"error": {"exception_message": "No space left on device", "exception_type": "E"}},
    "interrupted_in_comfyui": {"interrupted_by_other": True},
    "no_output": {"outputs": {}},
    "too_large": {"huge": True},
    "graph_rejected": {"reject": {"error": {"message": "it has no end"}, "node_errors": {}}},
    "missing_requirements": {"reject": {"error": {"type": "missing_node_type"}, "node_errors": {}}},
}


async def failed(checked: Checked, job: str) -> set[str]:
    """Return the code of a job that fails, as the job tells it."""
    body = await when(checked.client, job, "failed", "succeeded", "canceled")
    assert body["status"] == "failed", body
    await checked.ask("GET", f"/api/jobs/{job}", expect=200)
    return {body["error"]["code"]}


async def failed_of(checked: Checked, payload: dict[str, Any], **more: Any) -> set[str]:
    """Return the code of a job that was stored as it is, of one attempt."""
    spec = JobSpec(ID, payload, **{"max_attempts": 1, **more})
    await checked.client.app[STORE].submit(spec)
    return await failed(checked, ID)


@dataclass
class Side:
    """A service and the ComfyUI behind it."""

    fake: FakeComfy
    checked: Checked

    async def job(self, **fields: Any) -> str:
        """Begin a job there."""
        return await begun(self.checked, comfyPipeline=None, seconds=None, **fields)


@asynccontextmanager
async def comfyui(world: World, **changes: Any) -> AsyncIterator[Side]:
    async with FakeComfy() as fake:
        yield Side(fake, await world.start(comfyui_url=fake.url, **changes))


@provokes(*BROKEN, kind="job")
async def what_goes_wrong_in_comfyui(world: World) -> set[str]:
    async with comfyui(world) as side:
        faults, seen = side.fake.faults, set()
        for seed, (code, broken) in enumerate(BROKEN.items()):
            side.fake.faults = replace(faults, **broken)
            found = await failed(side.checked, await side.job(seed=seed))
            assert found == {code}
            seen |= found
        return seen


@provokes("comfyui_stalled", kind="job")
async def no_progress(world: World) -> set[str]:
    async with comfyui(world, comfyui_seconds=0.3) as side:
        side.fake.hold.clear()
        return await failed(side.checked, await side.job())


@provokes("took_too_long", kind="job")
async def too_long_in_all(world: World) -> set[str]:
    async with comfyui(world, total_seconds=0.5) as side:
        side.fake.hold.clear()
        return await failed(side.checked, await side.job())


@provokes("not_started_in_time", "removed_in_comfyui", kind="job")
async def what_waits_in_comfyui(world: World) -> set[str]:
    """One runs; one waits behind it that somebody removes, and then one that waits too long."""
    seen = set()
    for removed in (True, False):
        limit = 0.0 if removed else 0.5
        async with comfyui(world, comfyui_jobs=2, start_seconds=limit) as side:
            side.fake.hold.clear()
            running = await side.job(seed=1)
            await eventually(lambda: side.fake.running)
            waiting = await side.job(seed=2)
            await eventually(lambda: side.fake.pending)
            if removed:
                side.fake.delete_by_other(side.fake.pending[0][1])
            seen |= await failed(side.checked, waiting)
            await canceled(side.checked.client, running)
            await side.checked.client.close()
    return seen


@provokes("comfyui_unreachable", kind="job")
async def a_comfyui_that_goes_away(world: World) -> set[str]:
    async with comfyui(world, comfyui_away_seconds=0.5) as side:
        side.fake.hold.clear()
        job = await side.job()
        await eventually(lambda: side.fake.running)
        await side.fake.stop()
        found = await failed(side.checked, job)
        await side.fake._start(0)  # there must be something to stop in the end
        return found


async def ran(fake: FakeComfy, run: PromptRun, once_it_runs: Callable[[], Any]) -> str:
    """Run a prompt as a job does, and something else once it runs; return the code."""
    work = asyncio.create_task(run.finish(posted_before=False))
    if not fake.faults.always_500:
        await eventually(lambda: fake.running)
    await once_it_runs()
    with pytest.raises(RunFailed) as caught:
        await asyncio.wait_for(work, 20)
    return caught.value.error.code


async def nothing() -> None:
    pass


@provokes("comfyui_failed", "comfyui_restarted", "comfyui_stuck", kind="job")
async def a_comfyui_that_is_no_use(world: World) -> set[str]:
    """A prompt by itself: a service has more patience than a test."""
    async with FakeComfy(hold=True) as fake, runs_on(fake) as runs:
        fake.faults.always_500 = True
        seen = {await ran(fake, runs(), nothing)}
        fake.faults = Faults()
        seen.add(await ran(fake, runs(pace=replace(QUICK, runs=1)), fake.restart))
        fake.faults.deaf = True
        stall = replace(QUICK, stall_s=0.2, stop_s=0.3)
        return seen | {await ran(fake, runs(pace=stall), nothing)}


@provokes("picture_gone", kind="job")
async def a_picture_that_goes_before_its_turn(world: World) -> set[str]:
    checked = await world.start(demo_jobs=1)
    client = checked.client
    running = await posted(client, {**LONG, "imageUrl": await sent(checked)})
    await when(client, running["id"], "running")
    waiting = await begun(checked, text="pan left")
    job = await client.app[STORE].get(waiting)
    await client.app[MEDIA].delete_prefix(job.spec.payload["image"])
    await canceled(client, running["id"])
    return await failed(checked, waiting)


@provokes("pipeline_gone", kind="job")
async def a_pipeline_that_goes_before_its_turn(world: World) -> set[str]:
    async with comfyui(world) as side:
        order = GenerateRequest("a.png", "pan left", "gone", side.fake.url)
        return await failed_of(side.checked, asdict(order), lane="comfyui", route=order.route)


@provokes("internal_error", "invalid_request", kind="job")
async def jobs_that_nobody_should_have_stored(world: World) -> set[str]:
    """By an older version, say: what is asked for can't be read, or the engine can't do it."""
    checked = await world.start()
    unread = await failed_of(checked, {"no": "request"})
    key = (await sent(checked)).rpartition("/")[2]
    order = GenerateRequest(key, "pan left", "camera-motion", "", {"fps": 100_000})
    spec = JobSpec("1" * 32, asdict(order), max_attempts=1)
    await checked.client.app[STORE].submit(spec)
    return unread | await failed(checked, spec.id)


@provokes("storage_failed", kind="job")
async def a_disk_that_can_only_be_read(world: World) -> set[str]:
    checked = await world.start()
    key = (await sent(checked)).rpartition("/")[2]
    replaced = Path.replace

    def refuse(path: Path, target: Path) -> Path:
        if Path(target).suffix == ".mp4":
            raise OSError(errno.EROFS, "Read-only file system", str(target))
        return replaced(path, target)

    world.patch.setattr(Path, "replace", refuse)
    params = {"seconds": 0.5, "resolution": "480p"}
    return await failed_of(
        checked, asdict(GenerateRequest(key, "pan left", "camera-motion", "", params))
    )


@provokes("encoding_failed", kind="job")
async def a_video_that_can_not_be_written(world: World) -> set[str]:
    """The engine in the thread of a job: its folder is gone."""
    source = world.folder / "a.png"
    source.write_bytes(picture())
    request = GenerateRequest("a.png", "pan left", "camera-motion", "", {"seconds": 0.5})
    video = world.folder / "gone" / "a.mp4"
    with pytest.raises(BackendError) as caught:
        await asyncio.to_thread(
            render, source, request, world.folder / "b.png", video, lambda *_: None
        )
    return {caught.value.error.code}


@provokes("attempts_exhausted", kind="job")
async def a_worker_that_dies_in_each_attempt(world: World) -> set[str]:
    async with open_store(world.folder / "jobs.db", LocalBus()) as store:
        await store.submit(JobSpec(ID, {}, max_attempts=1))
        assert await store.lease("dies", "demo", lease_s=0.0, wait_s=0.0)
        await asyncio.sleep(0.01)
        await store.reap("other")
        job = await store.get(ID)
        assert job is not None
        assert job.error is not None
        return {job.error.code}
