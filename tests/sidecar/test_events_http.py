"""GET /api/jobs/{id}/events over a real socket: from the first event to the end of the stream."""

from __future__ import annotations

import asyncio
import socket
from dataclasses import replace

import pytest

from sidecar.app import create_app
from sidecar.bus import PREVIEW, Preview
from sidecar.http.streams import StreamPace, Streams
from sidecar.jobs import JobSpec
from sidecar.keys import BUS, STORE, STREAMS
from sidecar.values import GenerateRequest, Progress
from tests.service import refusal
from tests.sidecar.jobs_http import (
    LONG,
    QUICK,
    all_events,
    canceled,
    posted,
    read_events,
    uploaded,
    when,
)
from tests.waiting import eventually, found

FAST = StreamPace(heartbeat_s=0.1, tick_s=0.05, look_s=0.2, place_s=0.1, preview_s=0.2, write_s=0.5)


@pytest.fixture
async def quiet(aiohttp_client, settings):
    """A service whose jobs of the lane "test" nobody runs, and whose streams are quick."""
    app = create_app(settings)
    app[STREAMS] = Streams(3, FAST)
    return await aiohttp_client(app)


async def submitted(client, name="a"):
    request = {"image": "a.png", "text": "x", "pipeline": "p", "server": None, "params": {}}
    assert GenerateRequest(**request)
    await client.app[STORE].submit(JobSpec(name, request, lane="test"))
    return client.app[STORE]


def take(store):
    return store.lease("w", "test", lease_s=60, wait_s=0)


async def test_a_real_job_is_told_to_its_end(client, upload):
    job = await posted(client, {"imageUrl": await upload(), **QUICK, "seconds": "3"})
    events = await all_events(client, job["id"])
    names = [event.name for event in events]
    assert names[0] == "status"
    assert names[-1] == "result"
    assert names.count("result") == 1
    assert "progress" in names
    states = [event.data["status"] for event in events if event.name == "status"]
    assert states in (["queued", "running", "succeeded"], ["running", "succeeded"])
    values = [event.data["value"] for event in events if event.name == "progress"]
    assert values == sorted(values)
    assert values[-1] == 1
    assert all(value < 1 for value in values[:-1])
    assert len({event.id for event in events}) == len(events)
    final = events[-1].data
    told = await (await client.get(f"/api/jobs/{job['id']}")).json()
    assert told.pop("request")["parameters"]["seconds"] == 3, "events do not repeat what was asked"
    assert final == told


async def test_headers_that_let_the_events_through(client, upload):
    job = await posted(client, {"imageUrl": await upload(), **QUICK})
    async with client.get(f"/api/jobs/{job['id']}/events") as response:
        assert response.content_type == "text/event-stream"
        assert response.headers["Cache-Control"] == "no-cache, no-transform"
        assert response.headers["X-Accel-Buffering"] == "no"
        assert "Content-Length" not in response.headers
        assert (await response.content.readline()) == b"retry: 3000\n"


async def test_an_unknown_job_has_no_events(client):
    assert (await refusal(await client.get("/api/jobs/x/events"), 404))["code"] == "unknown_job"
    assert (await client.head("/api/jobs/x/events")).status == 405


async def test_coming_back_gives_what_was_missed_and_then_there_is_nothing_left(client, upload):
    job = await posted(client, {"imageUrl": await upload(), **QUICK})
    events = await all_events(client, job["id"])
    again = await all_events(client, job["id"], last=events[-2].id)
    assert again == events[-1:]
    anew = await all_events(client, job["id"], last="nonsense")
    assert [event.name for event in anew] == ["status", "progress", "result"]
    over = await client.get(
        f"/api/jobs/{job['id']}/events", headers={"Last-Event-ID": events[-1].id}
    )
    assert over.status == 204


async def test_coming_back_in_the_middle_misses_nothing(quiet):
    store = await submitted(quiet)
    lease = await take(store)
    seen = []
    async with quiet.get("/api/jobs/a/events") as response:
        async for event in read_events(response):
            seen.append(event)
            if event.name == "progress":
                break
    await store.extend(lease, lease_s=60, progress=Progress(0.5, "half"))
    await store.complete(lease, {"image": "a.png", "video": "a.mp4"})
    rest = await all_events(quiet, "a", last=seen[-1].id)
    assert [event.name for event in rest] == ["status", "progress", "result"]
    assert rest[1].data["value"] == 1


async def test_silence_is_broken_by_heartbeats(quiet):
    store = await submitted(quiet)
    comments: list[str] = []
    async with quiet.get("/api/jobs/a/events") as response:
        events = read_events(response, comments=comments)
        reading = asyncio.create_task(anext(events))
        assert (await reading).data["queuePosition"] == 0
        await anext(events)
        waiting = asyncio.create_task(anext(events))
        await eventually(lambda: len(comments) >= 3)
        await store.cancel("a")
        assert (await waiting).data["status"] == "canceled"


async def test_the_place_in_the_queue_is_told_as_it_changes(quiet):
    store = await submitted(quiet, "first")
    await submitted(quiet, "second")
    async with quiet.get("/api/jobs/second/events") as response:
        events = read_events(response)
        assert (await anext(events)).data["queuePosition"] == 1
        await anext(events)
        await store.cancel("first")
        assert (await anext(events)).data["queuePosition"] == 0
        await store.cancel("second")


async def test_a_change_by_another_process_is_seen_too(quiet):
    store = await submitted(quiet)
    await take(store)
    async with quiet.get("/api/jobs/a/events") as response:
        events = read_events(response)
        for _ in range(2):
            await anext(events)
        await store._all("update jobs set progress = '{\"value\": 0.7}', version = version + 1")
        assert (await anext(events)).data["value"] == 0.7
        await store.cancel("a")


async def test_previews_come_as_data_and_not_too_often(quiet):
    store = await submitted(quiet)
    lease = await take(store)
    bus = quiet.app[BUS]
    previews = []
    async with quiet.get("/api/jobs/a/events") as response:
        events = read_events(response)
        await anext(events)
        await anext(events)

        async def render():
            for number in range(60):
                bus.publish("a", PREVIEW, Preview(bytes([number])))
                await asyncio.sleep(0.01)
            await store.complete(lease, {"image": "a.png", "video": "a.mp4"})

        rendering = asyncio.create_task(render())
        async for event in events:
            previews += [event.data] if event.name == "preview" else []
        await rendering
    assert previews[0] == {"mime": "image/jpeg", "data": "AA=="}
    assert 2 <= len(previews) <= 5


async def test_too_many_clients_are_told_to_come_again(quiet):
    await submitted(quiet)
    streams = [await quiet.get("/api/jobs/a/events") for _ in range(3)]
    response = await quiet.get("/api/jobs/a/events")
    assert (await refusal(response, 503))["code"] == "too_many_streams"
    assert response.headers["Retry-After"] == "5"
    assert (await refusal(await quiet.get("/api/ready"), 503))["code"] == "too_many_streams"
    for stream in streams:
        stream.close()
    await eventually(lambda: quiet.app[STREAMS].open == 0)
    assert (await quiet.get("/api/ready")).status == 200
    assert (await quiet.get("/api/jobs/a/events")).status == 200
    await quiet.app[STORE].cancel("a")


async def test_who_reads_nothing_is_left_and_holds_little(quiet):
    """A client with tiny buffers that never reads, while pictures of a megabyte are published."""
    store = await submitted(quiet)
    lease = await take(store)
    request = b"GET /api/jobs/a/events HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
    with socket.socket() as deaf:
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        deaf.setblocking(False)
        loop = asyncio.get_running_loop()
        await loop.sock_connect(deaf, ("127.0.0.1", quiet.port))
        await loop.sock_sendall(deaf, request)
        await eventually(lambda: quiet.app[STREAMS].open == 1)
        count = 0
        while quiet.app[STREAMS].open:
            quiet.app[BUS].publish("a", PREVIEW, Preview(bytes(1024 * 1024)))
            await asyncio.sleep(0.02)
            count += 1
        assert count < 500
    job = await store.complete(lease, {"image": "a.png", "video": "a.mp4"})
    assert job.state.terminal


async def test_at_the_end_of_the_service_streams_end_and_go_on_after_it(
    aiohttp_client, settings, png
):
    client = await aiohttp_client(create_app(settings))
    job = await posted(client, {"imageUrl": await uploaded(client, png), **LONG})
    reading = asyncio.create_task(all_events(client, job["id"]))
    await when(client, job["id"], "running")
    await found(lambda: asyncio.sleep(0, client.app[STREAMS].open))
    await client.server.close()
    seen = await reading
    assert seen[-1].name != "result"
    client = await aiohttp_client(create_app(settings))
    reading = asyncio.create_task(all_events(client, job["id"], last=seen[-1].id))
    await canceled(client, job["id"])
    rest = await reading
    assert rest[-1].name == "result"
    assert rest[-1].data["status"] == "canceled"


async def test_many_clients_of_one_job_hear_the_same_end(aiohttp_client, settings):
    client = await aiohttp_client(create_app(replace(settings, max_event_clients=250)))
    store = await submitted(client)
    lease = await take(store)
    reading = [asyncio.create_task(all_events(client, "a")) for _ in range(90)]
    await eventually(lambda: client.app[STREAMS].open == 90)
    for tenth in range(1, 10):
        await store.extend(lease, lease_s=60, progress=Progress(tenth / 10))
        client.app[BUS].publish("a", PREVIEW, Preview(bytes(30_000)))
        await asyncio.sleep(0.05)
    await store.complete(lease, {"image": "a.png", "video": "a.mp4"})
    for events in await asyncio.gather(*reading):
        assert events[-1].data["result"]["video"].endswith("a.mp4")
    assert client.app[STREAMS].open == 0
