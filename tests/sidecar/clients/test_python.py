"""The Python client against the real service, over a wire that breaks."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import pytest
from aiohttp import web
from promptreel_client import Away, JobFailed, PromptReel, Refused, TimedOut

from sidecar.app import create_app
from tests.sidecar.clients.wire import Wire
from tests.waiting import eventually, found

QUICK = {"seconds": 0.5, "resolution": "480p", "fps": 12}
LONG = {"seconds": 60, "resolution": "1080p", "fps": 60}
FILE = Path(__file__).parents[3] / "clients" / "python" / "promptreel_client.py"


@pytest.fixture
async def wire(client):
    async with Wire(client.port) as made:
        yield made


@pytest.fixture
def reel(wire):
    return PromptReel(wire.url, patience=5)


@pytest.fixture
def picture(tmp_path, png):
    path = tmp_path / "a picture.png"
    path.write_bytes(png)
    return path


def states(seen):
    return [job.status for job in seen]


async def all_jobs(client):
    return (await (await client.get("/api/jobs")).json())["jobs"]


async def test_a_picture_and_a_text_become_a_video(reel, picture, tmp_path, client):
    seen = []

    def work():
        made = reel.generate(picture, "zoom in", on_progress=seen.append, **QUICK)
        reel.download(made.video, tmp_path / "video.mp4")
        return made

    made = await asyncio.to_thread(work)
    assert made.is_demo
    assert made.image.startswith(reel.url)
    assert (tmp_path / "video.mp4").read_bytes()[4:8] == b"ftyp"
    assert not list(tmp_path.glob("*.part"))
    assert states(seen)[-1] == "succeeded"
    values = [job.progress.value for job in seen]
    assert values == sorted(values)
    assert values[-1] == 1
    (job,) = await all_jobs(client)
    assert job["id"] == made.job_id


@pytest.mark.parametrize("kind", ["bytes", "text of a path", "address"])
async def test_a_picture_may_be_given_as(reel, picture, png, kind):
    given = {"bytes": png, "text of a path": str(picture)}.get(kind)
    if given is None:
        given = await asyncio.to_thread(reel.upload, picture)
        assert given == await asyncio.to_thread(reel.upload, png)
    made = await asyncio.to_thread(lambda: reel.generate(given, "zoom in", **QUICK))
    assert made.video.endswith(".mp4")


async def test_a_lost_answer_makes_no_second_job(reel, wire, picture, client):
    wire.cut_after = [b'"imageUrl"', b'"queuePosition"']
    made = await asyncio.to_thread(lambda: reel.generate(picture, "zoom in", **QUICK))
    assert not wire.cut_after
    assert [job["id"] for job in await all_jobs(client)] == [made.job_id]


async def test_events_go_on_where_they_broke(reel, wire, picture, client):
    seen = []
    asked = {"seconds": 6, "resolution": "480p", "fps": 30}
    work = asyncio.create_task(
        asyncio.to_thread(
            lambda: reel.generate(picture, "zoom in", on_progress=seen.append, **asked)
        )
    )
    await eventually(lambda: "running" in states(seen))
    for _ in range(3):
        wire.cut()
        await asyncio.sleep(0.05)
    await work
    assert wire.connections > 5
    values = [job.progress.value for job in seen]
    assert values == sorted(values)
    assert states(seen).count("succeeded") == 1


async def test_a_service_that_comes_back_in_time_is_waited_for(reel, wire, picture):
    wire.refusing = True
    work = asyncio.create_task(asyncio.to_thread(reel.upload, picture))
    await eventually(lambda: wire.connections >= 2)
    wire.refusing = False
    assert (await work).startswith(reel.url)


async def test_a_service_that_stays_away_is_said_in_a_sentence(wire, picture):
    wire.refusing = True
    reel = PromptReel(wire.url, "key-of-mine", patience=0.3)
    with pytest.raises(Away, match="can't be reached") as caught:
        await asyncio.to_thread(reel.upload, picture)
    assert "key-of-mine" not in str(caught.value) + repr(reel)


async def test_what_is_wrong_is_said_with_its_code(reel, picture):
    with pytest.raises(Refused) as caught:
        await asyncio.to_thread(lambda: reel.generate(picture, "zoom in", secnds=1))
    refused = caught.value
    assert refused.status == 400
    assert refused.code
    assert "secnds" in refused.fields
    assert refused.error in str(refused)


async def test_no_picture_is_refused_at_once(reel):
    with pytest.raises(Refused) as caught:
        await asyncio.to_thread(reel.upload, b"no picture")
    assert caught.value.code == "invalid_image"


async def test_a_video_that_is_late_is_canceled(reel, picture, client):
    with pytest.raises(TimedOut):
        await asyncio.to_thread(lambda: reel.generate(picture, "zoom in", timeout=0.7, **LONG))
    await found(lambda: _is(client, "canceled"))


async def _is(client, status):
    jobs = await all_jobs(client)
    return jobs and all(job["status"] == status for job in jobs)


async def test_a_listener_that_fails_cancels_the_job(reel, picture, client):
    def listen(job):
        if job.status == "running":
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await asyncio.to_thread(
            lambda: reel.generate(picture, "zoom in", on_progress=listen, **LONG)
        )
    await found(lambda: _is(client, "canceled"))


async def test_a_job_that_somebody_cancels_is_a_failure(reel, picture):
    begun = threading.Event()
    ids = []

    def listen(job):
        ids.append(job.id)
        begun.set()

    work = asyncio.create_task(
        asyncio.to_thread(lambda: reel.generate(picture, "zoom in", on_progress=listen, **LONG))
    )
    await asyncio.to_thread(begun.wait, 30)
    job = await asyncio.to_thread(reel.cancel, ids[0])
    assert job.id == ids[0]
    with pytest.raises(JobFailed) as caught:
        await work
    assert caught.value.code == "job_canceled"


async def test_the_same_key_of_its_caller_gives_the_same_job(reel, picture):
    def submit():
        return reel.submit(picture, "zoom in", idempotency_key="mine", **QUICK)

    first = await asyncio.to_thread(submit)
    assert (await asyncio.to_thread(submit)).id == first.id
    assert (await asyncio.to_thread(reel.wait, first.id)).status == "succeeded"
    job = await asyncio.to_thread(reel.job, first.id)
    assert job.ended
    assert job.result is not None


async def test_the_key_is_sent_to_the_service_and_nowhere_else(
    aiohttp_client, aiohttp_server, settings, png, tmp_path
):
    seen = []

    async def elsewhere(request):
        seen.append(request.headers.get("Authorization"))
        raise web.HTTPFound("/again") if request.path != "/again" else web.HTTPOk

    app = web.Application()
    app.add_routes([web.get("/{any}", elsewhere)])
    other = await aiohttp_server(app)
    client = await aiohttp_client(create_app(replace(settings, api_key="secret")))
    reel = PromptReel(str(client.make_url("")), "secret", patience=1)
    assert await asyncio.to_thread(reel.upload, png)
    with pytest.raises(Refused) as caught:
        await asyncio.to_thread(PromptReel(reel.url, "wrong", patience=0).upload, png)
    assert caught.value.status == 401
    with pytest.raises(Refused) as caught:
        await asyncio.to_thread(reel.download, str(other.make_url("/a")), tmp_path / "x")
    assert caught.value.status == 302
    assert seen == [None]
    assert not (tmp_path / "x").exists()


def test_addresses_of_files_are_no_addresses():
    with pytest.raises(ValueError, match="Only http"):
        PromptReel("file:///etc").upload(b"x")


def test_it_is_one_file_and_needs_the_standard_library_only(tmp_path):
    copy = tmp_path / "promptreel_client.py"
    copy.write_bytes(FILE.read_bytes())
    program = "import promptreel_client; print(promptreel_client.PromptReel().url)"
    run = subprocess.run(
        [
            sys.executable,
            "-I",
            "-S",
            "-c",
            f"import sys; sys.path.insert(0, {str(tmp_path)!r});" + program,
        ],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (run.returncode, run.stdout.strip()) == (0, "http://127.0.0.1:8190"), run.stderr
