"""POST /api/generate by Prefer: the job at once, after a while, or the result."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace

import pytest
from yarl import URL

from sidecar.app import create_app
from sidecar.keys import DRAINING
from tests.service import refusal
from tests.sidecar.jobs_http import ASYNC, LONG, QUICK, canceled, posted, shown, uploaded, when


@pytest.fixture
async def picture(upload):
    return {"imageUrl": await upload()}


async def test_respond_async_gives_the_job_at_once(client, picture):
    began = time.monotonic()
    response = await client.post("/api/generate", data={**picture, **LONG}, headers=ASYNC)
    job = await response.json()
    assert time.monotonic() - began < 2
    assert response.status == 202
    assert response.headers["Location"] == f"/api/jobs/{job['id']}"
    assert response.headers["Preference-Applied"] == "respond-async"
    assert response.headers["Vary"] == "Prefer"
    assert job["status"] in ("queued", "running")
    assert set(job["progress"]) == {"value", "message", "node", "step", "steps"}
    own = str(client.make_url(f"/api/jobs/{job['id']}"))
    assert job["urls"] == {"self": own, "events": f"{own}/events", "cancel": f"{own}/cancel"}
    assert (await client.get(response.headers["Location"])).status == 200
    await canceled(client, job["id"])


async def test_the_location_keeps_the_path_of_the_public_address(aiohttp_client, settings, png):
    public = replace(settings, public_url="https://studio.example/reel")
    client = await aiohttp_client(create_app(public))
    url = URL(await uploaded(client, png)).path.removeprefix("/reel")
    response = await client.post("/api/generate", data={"imageUrl": url, **QUICK}, headers=ASYNC)
    job = await response.json()
    assert response.headers["Location"] == f"/reel/api/jobs/{job['id']}"
    assert job["urls"]["self"] == f"https://studio.example/reel/api/jobs/{job['id']}"
    await when(client, job["id"], "succeeded")


async def test_wait_gives_the_result_if_it_is_there_in_time(client, picture):
    response = await client.post(
        "/api/generate", data={**picture, **QUICK}, headers={"Prefer": "wait=60"}
    )
    assert response.status == 200
    assert response.headers["Preference-Applied"] == "wait=60"
    assert (await response.json())["video"]


@pytest.mark.parametrize("prefer", ["wait=1", "respond-async, wait=1"])
async def test_wait_gives_the_job_if_it_takes_longer(client, picture, prefer):
    began = time.monotonic()
    response = await client.post(
        "/api/generate", data={**picture, **LONG}, headers={"Prefer": prefer}
    )
    job = await response.json()
    assert response.status == 202
    assert 0.9 < time.monotonic() - began < 5
    assert response.headers["Preference-Applied"] == prefer
    assert job["status"] == "running"
    await canceled(client, job["id"])


async def test_a_job_that_fails_while_waited_for_is_an_error(client, picture):
    waiting = asyncio.create_task(
        client.post("/api/generate", data={**picture, **LONG}, headers={"Prefer": "wait=60"})
    )
    jobs = []
    while not jobs:
        jobs = (await (await client.get("/api/jobs")).json())["jobs"]
    await canceled(client, jobs[0]["id"])
    assert (await refusal(await waiting, 500))["code"] == "job_canceled"


async def test_without_a_preference_nothing_is_said_of_it(generate, picture):
    response = await generate(**picture, text="x")
    assert response.status == 200
    assert "Preference-Applied" not in response.headers


async def test_progress_is_never_1_before_the_result_and_never_goes_back(client, picture):
    job = await posted(client, {**picture, **QUICK, "seconds": "3"})
    last = 0.0
    while job["status"] in ("queued", "running"):
        assert last <= job["progress"]["value"] < 1
        assert job["result"] is None
        last = job["progress"]["value"]
        job = await shown(client, job["id"])
    assert job["status"] == "succeeded"
    assert job["progress"]["value"] == 1
    assert job["result"]["video"]


async def test_nothing_new_is_taken_while_the_service_drains(client, picture, png):
    job = await posted(client, {**picture, **LONG})
    client.app[DRAINING].set()
    body = await refusal(await client.post("/api/generate", data={**picture, **QUICK}), 503)
    assert body["code"] == "shutting_down"
    assert (await refusal(await client.get("/api/ready"), 503))["code"] == "shutting_down"
    assert (await client.post("/api/upload", data={})).status == 503
    await canceled(client, job["id"])
