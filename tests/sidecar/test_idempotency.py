"""Idempotency-Key: one request sent twice is one job, whatever happens in between."""

from __future__ import annotations

import asyncio
import base64
from dataclasses import replace

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from sidecar.app import create_app
from sidecar.keys import STORE
from tests.service import refusal
from tests.sidecar.jobs_http import LONG, QUICK, canceled, posted, uploaded, when

KEY = {"Idempotency-Key": "8e03978e-40d5-43dd-bc93-6894a57f9324"}


async def count(client) -> int:
    return len((await client.app[STORE].list(tenant="", limit=1000))[0])


async def send(client, fields, **headers):
    return await client.post("/api/generate", data=fields, headers={**KEY, **headers})


@pytest.fixture
async def fields(upload):
    return {"imageUrl": await upload(), **QUICK}


async def test_the_same_request_gives_the_same_answer(client, fields):
    first = await send(client, fields)
    again = await send(client, fields)
    assert first.status == again.status == 200
    assert await first.json() == await again.json()
    assert "Idempotency-Replayed" not in first.headers
    assert again.headers["Idempotency-Replayed"] == "true"
    assert await count(client) == 1


async def test_many_at_once_are_one_job(client, fields):
    answers = await asyncio.gather(*(send(client, fields) for _ in range(12)))
    bodies = [await answer.json() for answer in answers]
    assert all(answer.status == 200 for answer in answers), bodies
    assert all(body == bodies[0] for body in bodies)
    assert await count(client) == 1


async def test_the_form_of_the_body_and_of_the_address_do_not_matter(client, fields, png):
    first = await (await send(client, fields)).json()
    other = {**fields, "seconds": 0.50, "fps": 12, "negative": " "}
    again = await client.post("/api/generate", json=other, headers=KEY)
    assert (await again.json()) == first
    data = {**fields, "imageUrl": f"data:image/png;base64,{base64.b64encode(png).decode()}"}
    assert (await (await send(client, data)).json()) == first


@pytest.mark.parametrize(
    "more", [{"text": "pan left"}, {"seed": "7"}, {"comfyPipeline": "camera-motion"}, "picture"]
)
async def test_another_request_with_the_key_is_refused(client, upload, fields, more):
    job = await posted(client, fields, **KEY)
    if more == "picture":
        response = await client.post("/api/generate", data=fields, headers={"Prefer": "wait=60"})
        more = {"imageUrl": (await response.json())["image"]}
    body = await refusal(await send(client, {**fields, **more}), 409)
    assert body["code"] == "idempotency_key_reused"
    await when(client, job["id"], "succeeded")


async def test_it_works_while_the_first_one_runs(client, fields):
    long = {**fields, **LONG}
    job = await posted(client, long, **KEY)
    assert (await posted(client, long, **KEY))["id"] == job["id"]
    waiting = asyncio.create_task(send(client, long))
    await asyncio.sleep(0.1)
    await canceled(client, job["id"])
    assert job["id"] in (await refusal(await waiting, 500))["details"]


async def test_it_works_after_a_restart(aiohttp_client, settings, png):
    client = await aiohttp_client(create_app(settings))
    fields = {"imageUrl": await uploaded(client, png), **QUICK}
    first = await posted(client, fields, **KEY)
    await client.close()
    client = await aiohttp_client(create_app(settings))
    answer = await (await send(client, fields)).json()
    assert answer["jobId"] == first["id"]
    assert await count(client) == 1


async def test_it_works_though_the_queue_is_full(aiohttp_client, settings, png):
    client = await aiohttp_client(create_app(replace(settings, demo_jobs=1, max_queued=1)))
    url = await uploaded(client, png)
    first = await posted(client, {"imageUrl": url, **LONG})
    await when(client, first["id"], "running")
    second = await posted(client, {"imageUrl": url, **LONG}, **KEY)
    refused = await client.post("/api/generate", data={"imageUrl": url, **LONG})
    assert refused.status == 429
    assert (await posted(client, {"imageUrl": url, **LONG}, **KEY))["id"] == second["id"]
    await canceled(client, first["id"], second["id"])


async def test_it_works_though_the_picture_has_vanished(aiohttp_client, settings, png):
    there = [True]

    async def picture(_):
        return web.Response(body=png) if there[0] else web.Response(status=404)

    app = web.Application()
    app.router.add_get("/a.png", picture)
    async with TestServer(app) as server:
        allowed = replace(settings, allowed_image_hosts=("127.0.0.1",))
        client = await aiohttp_client(create_app(allowed))
        fields = {"imageUrl": str(server.make_url("/a.png")), **QUICK}
        first = await (await send(client, fields)).json()
        there[0] = False
        assert await (await send(client, fields)).json() == first


async def test_a_refused_request_keeps_nothing(client, fields):
    await refusal(await send(client, {**fields, "seconds": "9999"}))
    await refusal(await send(client, {**fields, "imageUrl": "data:,x"}))
    assert (await send(client, fields)).status == 200


@pytest.mark.parametrize("key", ["", "x" * 300, '""'])
async def test_a_key_that_is_none_is_refused(client, fields, key):
    headers = {"Idempotency-Key": key}
    body = await refusal(await client.post("/api/generate", data=fields, headers=headers))
    assert body["code"] == "invalid_idempotency_key"


async def test_without_a_key_each_request_is_a_job(client, fields):
    for _ in range(2):
        assert (await client.post("/api/generate", data=fields)).status == 200
    assert await count(client) == 2
