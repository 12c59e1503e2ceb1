"""Jobs over HTTP: seen, canceled for real, and not lost when the client or the service leaves."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import replace
from typing import Any

import pytest
from aiohttp import ClientTimeout
from yarl import URL

from sidecar.app import create_app
from sidecar.keys import STORE
from tests.service import picture_form, refusal
from tests.waiting import found

LONG = {"text": "zoom in", "seconds": "60", "resolution": "1080p", "fps": "60"}
QUICK = {"text": "zoom in", "seconds": "0.5", "resolution": "480p", "fps": "12"}


async def job_when(client, job_id, holds) -> dict[str, Any]:
    """Return the job as soon as `holds` is true of it."""

    async def ask():
        job = await (await client.get(f"/api/jobs/{job_id}")).json()
        return job if holds(job) else {}

    return await found(ask)


async def until(client, job_id, *statuses):
    return await job_when(client, job_id, lambda job: job["status"] in statuses)


async def only_job(client, *others):
    """Return the id of the newest job but `others`: a client learns it only from the answer."""

    async def ask():
        rows = await client.app[STORE]._all("select id from jobs order by seq desc limit 1")
        return rows and rows[0]["id"] not in others and rows[0]["id"]

    return await found(ask)


async def uploaded(client, png):
    response = await client.post("/api/upload", data=picture_form(png))
    return (await response.json())["imageUrl"]


def rendering():
    return [thread for thread in threading.enumerate() if thread.name == "ahead"]


async def test_a_finished_job_can_be_looked_up(client, upload, generate):
    answer = await (await generate(imageUrl=await upload(), text="x")).json()
    job = await (await client.get(f"/api/jobs/{answer['jobId']}")).json()
    assert job["status"] == "succeeded"
    assert job["progress"]["value"] == 1
    assert job["result"] == answer
    assert job["error"] is None
    assert job["pipeline"] == "camera-motion"
    assert job["createdAt"] <= job["startedAt"] <= job["finishedAt"]
    assert job["urls"]["self"] == str(client.make_url(f"/api/jobs/{answer['jobId']}"))


async def test_canceling_stops_the_render_and_leaves_no_file(client, upload, generate, files):
    making = asyncio.create_task(generate(imageUrl=await upload(), **LONG))
    job_id = await only_job(client)
    await job_when(client, job_id, lambda job: job["progress"]["value"] > 0)
    assert rendering()
    assert (await client.post(f"/api/jobs/{job_id}/cancel")).status == 200
    body = await refusal(await making, 500)
    assert body["code"] == "job_canceled"
    job = await until(client, job_id, "canceled")
    again = await (await client.post(f"/api/jobs/{job_id}/cancel")).json()
    assert again == job
    assert len(files()) == 1
    assert rendering() == []


async def test_a_waiting_job_has_a_place_and_never_starts_when_canceled(
    aiohttp_client, settings, png
):
    client = await aiohttp_client(create_app(replace(settings, demo_jobs=1)))
    url = await uploaded(client, png)
    first = asyncio.create_task(client.post("/api/generate", data={"imageUrl": url, **LONG}))
    running = await only_job(client)
    await until(client, running, "running")
    second = asyncio.create_task(client.post("/api/generate", data={"imageUrl": url, **QUICK}))
    waiting = await only_job(client, running)
    job = await (await client.get(f"/api/jobs/{waiting}")).json()
    assert (job["status"], job["queuePosition"], job["startedAt"]) == ("queued", 0, None)
    job = await (await client.post(f"/api/jobs/{waiting}/cancel")).json()
    assert (job["status"], job["queuePosition"], job["startedAt"]) == ("canceled", None, None)
    await refusal(await second, 500)
    await client.post(f"/api/jobs/{running}/cancel")
    await refusal(await first, 500)


async def test_a_full_queue_says_when_to_come_again(aiohttp_client, settings, png):
    client = await aiohttp_client(create_app(replace(settings, demo_jobs=1, max_queued=1)))
    url = await uploaded(client, png)
    making = []
    for count in (1, 2):
        making.append(
            asyncio.create_task(client.post("/api/generate", data={"imageUrl": url, **LONG}))
        )
        await jobs_known(client, count)
    response = await client.post("/api/generate", data={"imageUrl": url, **LONG})
    assert (await refusal(response, 429))["code"] == "queue_full"
    assert int(response.headers["Retry-After"]) >= 1
    for row in await client.app[STORE]._all("select id from jobs"):
        await client.post(f"/api/jobs/{row['id']}/cancel")
    for task in making:
        await refusal(await task, 500)


async def jobs_known(client, count):
    """Wait until that many jobs are known and the first one is running."""

    async def ask():
        rows = await client.app[STORE]._all("select state from jobs order by seq")
        return len(rows) == count and rows[0]["state"] == "running"

    await found(ask)


async def test_a_client_that_leaves_does_not_lose_the_job(client, upload):
    fields = {"imageUrl": await upload(), **QUICK, "seconds": "3"}
    with pytest.raises(asyncio.TimeoutError):
        await client.post("/api/generate", data=fields, timeout=ClientTimeout(total=0.1))
    job = await until(client, await only_job(client), "succeeded", "failed")
    assert (await client.get(URL(job["result"]["video"]).path)).status == 200


async def test_at_the_end_of_the_service_the_job_waits_for_the_next_start(
    aiohttp_client, settings, png
):
    client = await aiohttp_client(create_app(settings))
    url = await uploaded(client, png)
    fields = {"imageUrl": url, **QUICK, "seconds": "20", "resolution": "1080p"}
    making = asyncio.create_task(client.post("/api/generate", data=fields))
    job_id = await only_job(client)
    await until(client, job_id, "running")
    await client.server.close()
    body = await refusal(await making, 503)
    assert body["code"] == "shutting_down"
    assert job_id in body["details"]
    assert rendering() == []
    client = await aiohttp_client(create_app(settings))
    job = await until(client, job_id, "running", "succeeded")
    assert (await client.post(f"/api/jobs/{job_id}/cancel")).status == 200
    assert job["error"] is None
