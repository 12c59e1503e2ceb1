"""Many servers as one, over HTTP: who gets what, what waits here, what moves when one dies."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from contextlib import AsyncExitStack, asynccontextmanager, closing

import pytest
from aiohttp import FormData

from sidecar.app import create_app
from sidecar.pool.pool import Watch
from sidecar.settings import Settings
from tests.fake_comfy import OWN, FakeComfy
from tests.service import picture_form, refusal
from tests.waiting import eventually, found


@pytest.fixture
async def fakes():
    async with AsyncExitStack() as stack:
        yield [await stack.enter_async_context(FakeComfy()) for _ in range(2)]


@pytest.fixture
def serving(aiohttp_client, tmp_path, fakes, png):
    """Return a context that gives the service on both, and a function that begins a job."""

    @asynccontextmanager
    async def start(look_s=0.05, **more):
        urls = ",".join(fake.url for fake in fakes)
        settings = Settings(data_dir=tmp_path / "data", **{"comfyui_url": urls, **more})
        watch = Watch(look_s=look_s, away_look_s=0.05, away_s=settings.comfyui_away_seconds)
        client = await aiohttp_client(create_app(settings, watch))
        response = await client.post("/api/upload", data=picture_form(png))
        url = (await response.json())["imageUrl"]
        count = iter(range(1000))

        async def begin(**fields):
            form = {"imageUrl": url, "text": "pan left", "seed": str(next(count)), **fields}
            form = {name: text for name, text in form.items() if text is not None}
            data = FormData(form, default_to_multipart=True)
            headers = {"Prefer": "respond-async"}
            response = await client.post("/api/generate", data=data, headers=headers)
            body = await response.json()
            assert response.status == 202, body
            return body["id"]

        await known(client)
        yield client, begin
        await client.close()

    return start


async def known(client):
    """Return how the servers are, once each was looked at."""

    async def look():
        servers = (await (await client.get("/api/servers")).json())["servers"]
        return servers if all(server["status"] != "unknown" for server in servers) else None

    return await found(look)


async def job_of(client, job_id):
    return await (await client.get(f"/api/jobs/{job_id}")).json()


async def ended(client, job_id):
    async def look():
        job = await job_of(client, job_id)
        return None if job["status"] in ("queued", "running") else job

    return await found(look)


def hold(fakes):
    for fake in fakes:
        fake.hold.clear()


def let_go(fakes):
    for fake in fakes:
        fake.hold.set()


async def test_jobs_are_shared_and_the_rest_waits_here(fakes, serving):
    hold(fakes)
    async with serving() as (client, begin):
        jobs = [await begin() for _ in range(6)]
        await eventually(lambda: all(len(fake.posts) == 2 for fake in fakes))
        await asyncio.sleep(0.6)
        assert [len(fake.posts) for fake in fakes] == [2, 2]
        states = [(await job_of(client, job))["status"] for job in jobs]
        assert states == ["running"] * 4 + ["queued"] * 2
        servers = await known(client)
        assert [(one["inFlight"], one["maxInFlight"]) for one in servers] == [(2, 2), (2, 2)]
        let_go(fakes)
        assert {(await ended(client, job))["status"] for job in jobs} == {"succeeded"}
        assert sum(len(fake.posts) for fake in fakes) == 6


def _attempts(folder, job_id):
    with closing(sqlite3.connect(folder / "data" / "jobs.db")) as db:
        return db.execute("select attempt from jobs where id = ?", (job_id,)).fetchone()[0]


async def test_a_job_goes_where_its_pipeline_can_run_and_blocks_no_other(fakes, serving, tmp_path):
    hold(fakes)
    for name in OWN:
        del fakes[1].nodes[name]
    pipelines = "tests/data/pipelines"
    async with serving(comfyui_jobs=1, pipelines_dir=pipelines) as (client, begin):
        servers = await known(client)
        assert "camera-motion" in servers[0]["pipelines"]
        assert "camera-motion" not in servers[1]["pipelines"]
        own = [await begin(comfyPipeline="camera-motion") for _ in range(2)]
        await eventually(lambda: fakes[0].running)
        core = await begin(comfyPipeline="core-nodes", seed=None)
        await eventually(lambda: fakes[1].running)
        assert (await job_of(client, own[1]))["status"] == "queued"
        assert await asyncio.to_thread(_attempts, tmp_path, own[1]) == 0  # not even tried
        let_go(fakes)
        for job in (*own, core):
            assert (await ended(client, job))["status"] == "succeeded"
        assert [len(fake.posts) for fake in fakes] == [2, 1]


async def test_the_pipelines_of_the_pool(fakes, serving):
    del fakes[1].nodes[OWN[0]]
    async with serving() as (client, _):
        body = await (await client.get("/api/pipelines")).json()
        row = next(row for row in body["pipelines"] if row["name"] == "camera-motion")
        assert row["default"]
        assert row["servers"] == [fakes[0].url]
        assert row["missing"] == {"nodes": [], "models": [], "comfyui": ""}


async def test_what_nobody_can_run_is_refused_at_once(fakes, serving):
    for fake in fakes:
        del fake.nodes[OWN[0]]
    async with serving() as (client, _):
        data = {"imageUrl": "/api/files/x.png", "text": "x", "comfyPipeline": "camera-motion"}
        body = await refusal(await client.post("/api/generate", data=data), 400)
        assert body["code"] == "missing_requirements"


async def test_a_server_that_dies_has_its_job_moved_and_is_taken_back(fakes, serving):
    hold(fakes)
    async with serving(comfyui_away_seconds=1.0, comfyui_jobs=1) as (client, begin):
        first = await begin()
        await eventually(lambda: any(fake.running for fake in fakes))
        dead, other = fakes if fakes[0].running else reversed(fakes)
        port = dead.server.port
        await dead.stop()
        await eventually(lambda: other.running, 20)
        servers = {one["url"]: one["status"] for one in await known(client)}
        assert servers == {dead.url: "away", other.url: "ok"}
        let_go(fakes)
        job = await ended(client, first)
        assert job["status"] == "succeeded", job
        assert other.completed.total() == 1
        await dead._start(port)

        async def back():
            return all(one["status"] == "ok" for one in await known(client))

        await found(back)
        hold(fakes)
        jobs = [await begin() for _ in range(2)]
        await eventually(lambda: dead.running and other.running)
        let_go(fakes)
        for job in jobs:
            assert (await ended(client, job))["status"] == "succeeded"


async def test_what_was_left_on_a_server_that_was_away_is_stopped_there(fakes, serving):
    hold(fakes)
    async with serving(comfyui_away_seconds=0.5, comfyui_jobs=1) as (client, begin):
        first = await begin()
        await eventually(lambda: any(fake.running for fake in fakes))
        away, other = fakes if fakes[0].running else reversed(fakes)
        away.faults.refuse = True
        await away.cut_sockets()
        await eventually(lambda: other.running, 20)
        away.faults.refuse = False
        await eventually(lambda: away.interrupts and not away.running, 20)
        let_go(fakes)
        assert (await ended(client, first))["status"] == "succeeded"
        assert away.completed.total() == 0
        assert other.completed.total() == 1


async def test_a_job_is_moved_though_the_pool_has_not_seen_yet_that_its_server_died(fakes, serving):
    hold(fakes)
    async with serving(look_s=60, comfyui_away_seconds=0.5, comfyui_jobs=1) as (client, begin):
        first = await begin()
        await eventually(lambda: any(fake.running for fake in fakes))
        dead, other = fakes if fakes[0].running else reversed(fakes)
        port = dead.server.port
        await dead.stop()
        await eventually(lambda: other.running, 20)
        servers = {one["url"]: one["status"] for one in await known(client)}
        assert servers == {dead.url: "away", other.url: "ok"}
        let_go(fakes)
        assert (await ended(client, first))["status"] == "succeeded"
        await dead._start(port)

        async def back():  # it is looked at as often as any that is away
            return all(one["status"] == "ok" for one in await known(client))

        await found(back)


async def test_a_server_that_answers_by_half_does_not_get_its_job_back(fakes, serving):
    hold(fakes)
    async with serving(comfyui_away_seconds=1.0) as (client, begin):
        job = await begin()
        await eventually(lambda: any(fake.running for fake in fakes))
        half, other = fakes if fakes[0].running else reversed(fakes)
        half.faults.refuse = "/queue"
        let_go([other])
        await eventually(lambda: other.posts, 15)
        assert (await ended(client, job))["status"] == "succeeded"
        half.faults.refuse = False
        await eventually(lambda: not half.running)


async def test_without_another_server_a_job_fails_clearly(fakes, serving):
    hold(fakes)
    async with serving(comfyui_away_seconds=2.0, comfyui_url=fakes[0].url) as (client, begin):
        job = await begin()
        await eventually(lambda: fakes[0].running)
        before = (await job_of(client, job))["progress"]["value"]
        await fakes[0].stop()

        async def told():
            progress = (await job_of(client, job))["progress"]
            return progress if "does not answer" in progress["message"] else None

        progress = await found(told)
        assert progress["message"] == "ComfyUI does not answer: it is waited for, 2 s at most."
        assert before <= progress["value"] < 1
        body = await ended(client, job)
        assert body["error"]["code"] == "comfyui_unreachable"
        assert "in the middle of the video" in body["error"]["error"]
        assert "For 2 s it took no connection: it has ended" in body["error"]["details"]
        assert "PROMPTREEL_COMFYUI_AWAY_SECONDS" in body["error"]["details"]
        await refusal(await client.get("/api/ready"), 503)


async def test_a_pinned_job_runs_nowhere_else(fakes, serving):
    hold(fakes)
    async with serving() as (client, begin):
        jobs = [await begin(serverUrl=fakes[1].url) for _ in range(3)]
        await eventually(lambda: len(fakes[1].posts) == 2)
        await asyncio.sleep(0.4)
        assert [len(fake.posts) for fake in fakes] == [0, 2]
        let_go(fakes)
        for job in jobs:
            assert (await ended(client, job))["status"] == "succeeded"
        assert [len(fake.posts) for fake in fakes] == [0, 3]


async def test_a_request_may_name_a_server_that_is_not_of_the_pool(fakes, serving):
    async with serving(comfyui_url=fakes[0].url) as (client, begin):
        job = await begin(serverUrl=fakes[1].url)
        assert (await ended(client, job))["status"] == "succeeded"
        assert [len(fake.posts) for fake in fakes] == [0, 1]


async def test_what_waits_behind_a_stuck_job_goes_elsewhere(fakes, serving):
    hold(fakes)
    one, other = fakes
    async with serving(comfyui_seconds=2.0) as (client, begin):
        other.nodes.clear()
        stuck = await begin(serverUrl=one.url)
        await eventually(lambda: one.running)
        one.faults.deaf = True
        behind = await begin(serverUrl=other.url)
        await eventually(lambda: other.running)
        let_go([other])
        assert (await ended(client, behind))["status"] == "succeeded"
        waiting = [await begin() for _ in range(3)]
        await eventually(lambda: len(one.posts) == 2, 5)
        body = await ended(client, stuck)
        assert body["error"]["code"] == "comfyui_stuck"
        for job in waiting:
            assert (await ended(client, job))["status"] == "succeeded"
        assert one.completed.total() == 0
        servers = {row["url"]: row["status"] for row in await known(client)}
        assert servers[one.url] == "stuck"
        let_go([one])

        async def well():
            return (await known(client))[0]["status"] == "ok"

        await found(well)


async def test_too_long_in_the_queue_and_too_long_in_all(fakes, serving):
    hold(fakes)
    limits = {"start_seconds": 1.0, "total_seconds": 3.0}
    async with serving(comfyui_url=fakes[0].url, comfyui_jobs=2, **limits) as (client, begin):
        jobs = [await begin() for _ in range(3)]
        begun = time.monotonic()
        errors = sorted([(await ended(client, job))["error"]["code"] for job in jobs])
        assert errors == ["not_started_in_time", "not_started_in_time", "took_too_long"]
        assert time.monotonic() - begun < 12
        assert fakes[0].interrupts
        assert not fakes[0].running
        assert not fakes[0].pending


async def test_what_took_too_long_while_the_service_was_down_is_stopped(fakes, serving):
    hold(fakes)
    async with serving(comfyui_url=fakes[0].url) as (_, begin):
        job = await begin()
        await eventually(lambda: fakes[0].running)
    await asyncio.sleep(1.0)
    async with serving(comfyui_url=fakes[0].url, total_seconds=1.0) as (client, _):
        assert (await ended(client, job))["error"]["code"] == "took_too_long"
        await eventually(lambda: not fakes[0].running)
    assert fakes[0].completed.total() == 0


@pytest.mark.parametrize("end", ["failed", "canceled"])
async def test_what_ended_while_its_server_was_away_is_stopped_when_it_is_back(end, fakes, serving):
    hold(fakes)
    away_s = 1.0 if end == "failed" else 60.0
    async with serving(comfyui_away_seconds=away_s, comfyui_url=fakes[0].url) as (client, begin):
        job = await begin()
        await eventually(lambda: fakes[0].running)
        fakes[0].faults.refuse = True
        await fakes[0].cut_sockets()
        if end == "canceled":
            await client.post(f"/api/jobs/{job}/cancel")
        body = await ended(client, job)
        assert body["status"] == end
        assert body["progress"]["message"] == ""
        fakes[0].faults.refuse = False
        await eventually(lambda: not fakes[0].running)
    assert fakes[0].completed.total() == 0


async def test_ready_agrees_and_says_how_many(fakes, serving):
    async with serving() as (client, _):
        body = await (await client.get("/api/ready")).json()
        assert "2 of 2 ComfyUIs answer" in body["details"]
        await fakes[0].stop()
        await asyncio.sleep(2.2)
        body = await (await client.get("/api/ready")).json()
        assert "1 of 2 ComfyUIs answer" in body["details"]
        await fakes[1].stop()

        async def not_ready():
            return (await client.get("/api/ready")).status == 503

        await found(not_ready)
