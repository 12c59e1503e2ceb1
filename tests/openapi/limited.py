"""Refusals for want of something: places, patience, a key's allowance, a disk, a ComfyUI."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from sidecar.access.book import FILE, KeyBook
from sidecar.access.callers import Allowance
from sidecar.access.door import FRESH_S
from sidecar.http.slow import Patience
from sidecar.keys import DRAINING, STORE
from sidecar.openapi.samples import picture
from tests.fake_comfy import FakeComfy
from tests.hostile.places import Place, ended, serving
from tests.openapi.described import Checked
from tests.openapi.provoking import (
    GENERATE,
    GOOD,
    READY,
    UPLOAD,
    World,
    ask,
    provokes,
    sent,
)
from tests.service import picture_form
from tests.sidecar.jobs_http import ASYNC, LONG, canceled, posted, when
from tests.waiting import eventually, found

UPLOAD_HEAD = (
    b"POST /api/upload HTTP/1.1\r\nHost: localhost\r\nContent-Length: 90000\r\n"
    b"Content-Type: multipart/form-data; boundary=b\r\n\r\n"
    b'--b\r\nContent-Disposition: form-data; name="image"; filename="a.png"\r\n\r\n\x89PNG'
)


async def keys_of(world: World, **allowances: Allowance) -> dict[str, dict[str, str]]:
    """Make keys of these allowances; return the headers of each."""

    def make() -> dict[str, str]:
        book = KeyBook(world.settings.data_dir)
        return {name: book.add(name, most) for name, most in allowances.items()}

    made = await asyncio.to_thread(make)
    return {name: {"Authorization": f"Bearer {key}"} for name, key in made.items()}


@provokes("rate_limited")
async def a_key_that_asks_too_often(world: World) -> set[str]:
    key = (await keys_of(world, ann=Allowance(requests_per_minute=1)))["ann"]
    checked = await world.start()
    for status in (200, 429):
        await checked.ask("GET", "/api/jobs", expect=status, headers=key)
    return checked.codes


@provokes("storage_full")
async def a_key_whose_files_are_too_many(world: World) -> set[str]:
    key = (await keys_of(world, ann=Allowance(max_storage_mb=1)))["ann"]
    checked = await world.start()
    url = await sent(checked, picture() + bytes(1 << 20), headers=key)
    form = picture_form(picture())
    await checked.ask("POST", UPLOAD, expect=403, data=form, headers=key)
    await checked.ask("POST", GENERATE, expect=403, headers=key, **ask(imageUrl=url))
    return checked.codes


@provokes("key_queue_full")
async def a_key_with_too_many_waiting(world: World) -> set[str]:
    key = (await keys_of(world, ann=Allowance(max_queued=1)))["ann"]
    checked = await world.start(demo_jobs=1)
    fields = {**LONG, "imageUrl": await sent(checked, headers=key)}

    async def order(status: int) -> str:
        more = {"json": fields, "headers": {**key, **ASYNC}}
        return (await checked.ask("POST", GENERATE, expect=status, **more)).get("id", "")

    async def none_waits() -> bool:
        return not await checked.client.app[STORE].queued("demo")

    running = await order(202)
    await found(none_waits)
    for job in (await order(202), await order(429), running):
        if job:
            await checked.ask("POST", f"/api/jobs/{job}/cancel", expect=200, headers=key)
    return checked.codes


@provokes("keys_unreadable")
async def a_file_of_keys_that_is_damaged(world: World) -> set[str]:
    key = (await keys_of(world, ann=Allowance()))["ann"]
    checked = await world.start()
    await checked.ask("GET", "/api/jobs", expect=200, headers=key)
    (world.settings.data_dir / FILE).write_bytes(b"damaged" * 1000)
    await asyncio.sleep(FRESH_S + 0.1)
    await checked.ask("GET", "/api/jobs", expect=503, headers=key)
    return checked.codes


@provokes("queue_full", "too_many_streams")
async def too_much_at_once(world: World) -> set[str]:
    checked = await world.start(demo_jobs=1, max_queued=1, max_event_clients=1)
    fields = {**LONG, "imageUrl": await sent(checked)}
    running = await posted(checked.client, fields)
    await when(checked.client, running["id"], "running")
    waiting = await posted(checked.client, fields)
    await checked.ask("POST", GENERATE, expect=429, json=fields)
    assert (await checked.ask("GET", READY, expect=503))["code"] == "queue_full"
    events = f"/api/jobs/{running['id']}/events"
    async with checked.client.get(events):
        await checked.ask("GET", events, expect=503)
    await canceled(checked.client, waiting["id"], running["id"])
    return checked.codes


@provokes("too_many_uploads")
async def too_many_pictures_at_once(world: World) -> set[str]:
    checked = await world.start(max_uploads=1)
    gone = asyncio.Event()

    async def slowly():
        yield UPLOAD_HEAD.partition(b"\r\n\r\n")[2]
        await gone.wait()

    kind = {"Content-Type": "multipart/form-data; boundary=b"}
    slow = asyncio.create_task(checked.client.post(UPLOAD, data=slowly(), headers=kind))
    await eventually(lambda: list((world.settings.data_dir / "unfinished").iterdir()))
    await checked.ask("POST", UPLOAD, expect=429, data=picture_form(picture()))
    assert (await checked.ask("GET", READY, expect=503))["code"] == "too_many_uploads"
    gone.set()
    (await slow).release()
    return checked.codes


@provokes("body_too_slow", "too_many_connections")
async def connections_that_dawdle_or_are_too_many(world: World) -> set[str]:
    async with serving(world.settings, Patience(stall_s=0.3, most=1)) as place:
        reader, _ = await place.open(UPLOAD_HEAD)
        await eventually(lambda: place.connections == 1)
        return {await _code(place, b""), await _read(reader)}


async def _code(place: Place, head: bytes) -> str:
    reader, _ = await place.open(head)
    return await _read(reader)


async def _read(reader: asyncio.StreamReader) -> str:
    return json.loads((await ended(reader)).partition(b"\r\n\r\n")[2])["code"]


@provokes("shutting_down")
async def the_end_of_the_service(world: World) -> set[str]:
    checked = await world.start()
    checked.client.app[DRAINING].set()
    for method, path in (("POST", GENERATE), ("POST", UPLOAD), ("GET", READY)):
        await checked.ask(method, path, expect=503)
    return checked.codes


@provokes("disk_full", "storage_failed", "internal_error")
async def a_file_of_jobs_that_takes_nothing(world: World) -> set[str]:
    """SQLite itself says that it is full, or read-only, or lacks what it should have."""
    checked = await world.start()
    db = checked.client.app[STORE]._db
    for pragma, undone in (
        ("max_page_count = 1", "max_page_count = 1000000"),
        ("query_only = 1", "query_only = 0"),
    ):
        await db.execute_fetchall(f"pragma {pragma}")
        await checked.ask("POST", GENERATE, expect=500, **ask(text="pan left " * 5000))
        await db.execute_fetchall(f"pragma {undone}")
    await db.execute_fetchall("alter table jobs rename to lost")
    await checked.ask("GET", "/api/jobs", expect=500)
    await db.execute_fetchall("alter table lost rename to jobs")
    return checked.codes


@provokes("comfyui_unreachable")
async def no_comfyui_where_one_must_be(world: World) -> set[str]:
    checked = await world.start(mode="comfyui")
    await checked.ask("POST", GENERATE, expect=500, **ask())
    await checked.ask("GET", READY, expect=503)
    return checked.codes


@provokes("missing_requirements")
async def a_comfyui_without_the_nodes(world: World) -> set[str]:
    async with FakeComfy() as fake:
        fake.nodes.clear()
        checked = await world.start(comfyui_url=fake.url)
        await checked.ask("POST", GENERATE, expect=400, **ask(comfyPipeline="svd"))
        return checked.codes


@provokes("job_canceled", "generation_failed")
async def a_job_that_goes_while_its_request_waits(world: World) -> set[str]:
    checked = await world.start(demo_jobs=1)
    client, store = checked.client, checked.client.app[STORE]
    fields = {**LONG, "imageUrl": await sent(checked)}
    running = await posted(client, fields)
    await when(client, running["id"], "running")
    for text in ("is canceled", "is deleted"):
        asked = asyncio.create_task(
            checked.ask("POST", GENERATE, expect=500, json={**GOOD, "text": text})
        )
        job = await _listed(checked)
        if text == "is canceled":
            await client.post(f"/api/jobs/{job}/cancel")
        else:
            await store._db.execute_fetchall(f"delete from jobs where id = '{job}'")
        await asked
    await canceled(client, running["id"])
    return checked.codes


async def _listed(checked: Checked) -> str:
    """Return the id of the one job that waits."""

    async def look() -> list[Any]:
        return (await checked.ask("GET", "/api/jobs?status=queued"))["jobs"]

    return (await found(look))[0]["id"]
