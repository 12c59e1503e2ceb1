"""What is deleted, and what is not: by age, by size, leftovers, inputs in ComfyUI's folder."""

from __future__ import annotations

import asyncio
import os
import time
from dataclasses import asdict

import pytest

from sidecar.backends.inputs import Inputs
from sidecar.comfy.client import ComfyClient, new_session
from sidecar.housekeeping.keeper import Keep, Keeper, keep_of
from sidecar.jobs import JobSpec
from sidecar.settings import Settings
from sidecar.values import GenerateRequest, JobError, Outputs
from tests.fake_comfy import FakeComfy

OLD_S = 10_000.0
JOB = "0" * 32
OTHER = "1" * 32


@pytest.fixture
def keeper(store, media):
    def make(inputs=(), **keep):
        return Keeper(store, media, lambda: inputs, Keep(**keep))

    return make


@pytest.fixture
def put(media, tmp_path):
    """Return a function that stores a file that was last used so many seconds ago."""

    async def send(key, size=1, used_s=OLD_S):
        async def chunks():
            yield b"x" * size

        await media.put_stream(key, chunks())
        then = time.time() - used_s
        await asyncio.to_thread(os.utime, tmp_path / "media" / key, (then, then))

    return send


@pytest.fixture
def keys(media):
    async def listing():
        return {one.key for one in await media.listing()}

    return listing


def request(image):
    return JobSpec(JOB, asdict(GenerateRequest(image, "x", "p", "")), lane="comfyui")


async def finished(store, image="a.png", video="v.mp4", name=JOB):
    await store.submit(JobSpec(name, request(image).payload, lane="comfyui"))
    lease = await store.lease("w", "comfyui", lease_s=60, wait_s=0)
    return await store.complete(lease, asdict(Outputs(f"{name}-1-i.png", f"{name}-1-{video}")))


async def test_nothing_goes_unless_asked_for(keeper, put, keys, store):
    await finished(store)
    for key in ("a.png", f"{JOB}-1-v.mp4", f"{JOB}-1-i.png"):
        await put(key)
    await keeper().tidy()
    assert len(await keys()) == 3
    assert keep_of(Settings()) == Keep()


async def test_old_files_go_but_not_those_used_lately_or_needed(keeper, put, keys, store):
    await put("old.png")
    await put("used.png", used_s=700)
    await put("needed.png")
    await store.submit(request("needed.png"))
    await keeper(media_s=1000).tidy()
    assert await keys() == {"used.png", "needed.png"}


async def test_what_is_touched_or_held_is_spared(keeper, put, keys, media):
    for key in ("touched.png", "held.png", "read.png"):
        await put(key)
    assert await media.touch("touched.png")
    async with media.local("read.png"):
        pass
    with media.hold("held.png"):
        await keeper(media_s=1000).tidy()
    assert await keys() == {"touched.png", "held.png", "read.png"}
    await keeper(media_s=1000).tidy()
    assert await keys() == {"touched.png", "read.png"}


async def test_touching_leaves_what_clients_know_a_file_by(put, media, tmp_path):
    await put("a.png")
    before = (tmp_path / "media" / "a.png").stat().st_mtime_ns
    await media.touch("a.png")
    assert (tmp_path / "media" / "a.png").stat().st_mtime_ns == before
    assert not await media.touch("b.png")
    assert not await media.touch("../x")


async def test_what_is_used_between_the_look_and_the_deletion_stays(put, media, keys):
    await put("a.png")
    stored = await media.listing()
    await media.touch("a.png")
    assert await media.discard(stored) == 0
    assert await keys() == {"a.png"}


async def test_too_much_goes_longest_unused_first(keeper, put, keys, store):
    for number in range(5):
        await put(f"{number}.png", size=100, used_s=OLD_S - number)
    await put("young.png", size=100, used_s=1)
    await store.submit(request("0.png"))
    await keeper(media_bytes=350).tidy()
    assert await keys() == {"0.png", "4.png", "young.png"}
    await keeper(media_bytes=1).tidy()
    assert await keys() == {"0.png", "young.png"}  # needed, and too young


async def test_old_jobs_are_forgotten_and_what_they_made_goes_too(keeper, put, keys, store):
    await finished(store)
    await store.submit(JobSpec(OTHER, request("a.png").payload, lane="comfyui"))
    for key in (f"{JOB}-1-v.mp4", f"{JOB}-1-i.png", "a.png"):
        await put(key)
    await keeper(jobs_s=1000).tidy()
    assert await store.get(JOB) is not None
    await keeper(jobs_s=-1.0).tidy()
    assert await store.get(JOB) is None
    assert await store.get(OTHER) is not None
    assert await keys() == {"a.png"}


async def test_leftovers_of_killed_attempts_go(keeper, put, keys, store):
    await store.submit(request("a.png"))
    lease = await store.lease("w", "comfyui", lease_s=60, wait_s=0)
    recorded = Outputs(f"{JOB}-1-i.png", f"{JOB}-1-v.mp4")
    await store.extend(lease, lease_s=60, ledger={"outputs": asdict(recorded)})
    await store.reap("w")
    await store.lease("w", "comfyui", lease_s=60, wait_s=0)
    for key in ("1-i.png", "1-v.mp4", "1-part.png", "2-i.png", "9-x.png"):
        await put(f"{JOB}-{key}")
    await put(f"{OTHER}-1-v.mp4")  # of no job
    await put(f"{OTHER}-2-v.mp4", used_s=1)
    await keeper().tidy()
    left = {f"{JOB}-{key}" for key in ("1-i.png", "1-v.mp4", "2-i.png")}
    assert await keys() == {*left, f"{OTHER}-2-v.mp4"}


async def test_a_failed_jobs_files_are_leftovers(keeper, put, keys, store):
    await store.submit(request("a.png"))
    lease = await store.lease("w", "comfyui", lease_s=60, wait_s=0)
    await store.fail(lease, JobError("x", "X."))
    await put(f"{JOB}-1-v.mp4")
    await keeper().tidy()
    assert await keys() == set()


async def test_many_files_do_not_block(keeper, put, keys, tmp_path):
    def fill():
        then = time.time() - OLD_S
        for number in range(5000):
            path = tmp_path / "media" / f"{number:064}.png"
            path.write_bytes(b"x")
            os.utime(path, (then, then))

    await asyncio.to_thread(fill)
    worst, stop = 0.0, False

    async def beat():
        nonlocal worst
        while not stop:
            begun = time.perf_counter()
            await asyncio.sleep(0.001)
            worst = max(worst, time.perf_counter() - begun)

    beating = asyncio.create_task(beat())
    await keeper(media_s=1000).tidy()
    stop = True
    await beating
    assert await keys() == set()
    assert worst < 0.5, worst


@pytest.fixture
async def inputs(media, tmp_path):
    folder = tmp_path / "input"
    await asyncio.to_thread(folder.mkdir)
    async with FakeComfy() as fake, new_session() as session:
        fake.input_dir = folder
        yield Inputs(ComfyClient(fake.url, session), media, str(folder))


async def placed(tmp_path):
    def names():
        folder = tmp_path / "input" / "promptreel"
        return {path.name for path in folder.iterdir()} if folder.is_dir() else set()

    return await asyncio.to_thread(names)


async def test_pictures_that_no_job_needs_go_from_comfyuis_folder(
    keeper, put, inputs, store, tmp_path
):
    for key in ("needed.png", "done.png"):
        await put(key)
        await inputs.place(key)
    await store.submit(request("needed.png"))
    await keeper([inputs], inputs_s=60).tidy()
    assert await placed(tmp_path) == {"needed.png", "done.png"}
    await keeper([inputs], inputs_s=-1).tidy()
    assert await placed(tmp_path) == {"needed.png"}
    await inputs.place("done.png")  # it is written again
    assert await placed(tmp_path) == {"needed.png", "done.png"}


async def test_pictures_of_another_service_stay_for_a_day(keeper, put, inputs, tmp_path):
    await put("ours.png")
    await inputs.place("ours.png")
    folder = tmp_path / "input" / "promptreel"

    def others():
        now = time.time()
        for name, age_s in (("theirs.png", 3600), ("ancient.png", 90_000), (".a.part", 90_000)):
            (folder / name).write_bytes(b"x")
            os.utime(folder / name, (now - age_s, now - age_s))

    await asyncio.to_thread(others)
    await keeper([inputs], inputs_s=-1).tidy()
    assert await placed(tmp_path) == {"theirs.png"}
