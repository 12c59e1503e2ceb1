"""What one key may take: how often, how many waiting, how much of the disk; and nobody else's."""

from __future__ import annotations

import asyncio
import io
from dataclasses import replace

import pytest

from sidecar.access.book import KeyBook
from sidecar.access.callers import Allowance
from sidecar.app import create_app
from sidecar.keys import STORE
from tests.service import picture_form, refusal
from tests.sidecar.jobs_http import ASYNC, LONG, QUICK
from tests.waiting import found


@pytest.fixture
def serving(aiohttp_client, settings):
    """Return a function that serves with keys of these allowances; gives client and headers."""

    async def start(**allowances: Allowance):
        def make():
            book = KeyBook(settings.data_dir)
            return {name: book.add(name, most) for name, most in allowances.items()}

        keys = await asyncio.to_thread(make)
        client = await aiohttp_client(create_app(replace(settings, demo_jobs=1)))
        headers = [{"Authorization": f"Bearer {key}"} for key in keys.values()]
        return client, *headers

    return start


async def sent(client, png, key):
    response = await client.post("/api/upload", data=picture_form(io.BytesIO(png)), headers=key)
    assert response.status == 200, await response.text()
    return (await response.json())["imageUrl"]


async def test_too_many_requests_are_refused_with_the_time_to_wait(serving):
    client, ann, bob = await serving(ann=Allowance(requests_per_minute=3), bob=Allowance())
    statuses = [(await client.get("/api/jobs", headers=ann)).status for _ in range(3)]
    assert statuses == [200] * 3
    response = await client.get("/api/jobs", headers=ann)
    assert (await refusal(response, 429))["code"] == "rate_limited"
    assert 15 <= int(response.headers["Retry-After"]) <= 20
    assert (await client.get("/api/jobs", headers=bob)).status == 200
    assert (await client.get("/api/health")).status == 200


async def test_a_key_has_only_so_many_waiting_and_others_have_their_own(serving, png):
    client, ann, bob = await serving(ann=Allowance(max_queued=1), bob=Allowance())

    async def ask(key, **headers):
        fields = {**LONG, "imageUrl": await sent(client, png, key)}
        return await client.post("/api/generate", data=fields, headers={**ASYNC, **key, **headers})

    async def none_waits():
        return not await client.app[STORE].queued("demo")

    first = await (await ask(ann)).json()
    assert await found(none_waits)
    second = await (await ask(ann, **{"Idempotency-Key": "k"})).json()
    response = await ask(ann)
    assert (await refusal(response, 429))["code"] == "key_queue_full"
    assert int(response.headers["Retry-After"]) >= 1
    again = await (await ask(ann, **{"Idempotency-Key": "k"})).json()
    assert again["id"] == second["id"]
    theirs = await (await ask(bob)).json()
    for job, key in ((second, ann), (theirs, bob), (first, ann)):
        await client.post(f"/api/jobs/{job['id']}/cancel", headers=key)
    assert (await ask(ann)).status == 202


async def test_a_full_storage_takes_no_more(serving, png):
    big = png + bytes(1 << 20)  # what follows a PNG's end is kept as sent
    client, ann, bob = await serving(ann=Allowance(max_storage_mb=1), bob=Allowance())
    url = await sent(client, big, ann)
    fields = {**QUICK, "imageUrl": url}
    for response in (
        await client.post("/api/upload", data=picture_form(png), headers=ann),
        await client.post("/api/generate", data=fields, headers=ann),
    ):
        body = await refusal(response, 403)
        assert body["code"] == "storage_full"
        assert "of 1 MB" in body["details"]
    assert (await client.get("/api/jobs", headers=ann)).status == 200
    await sent(client, big, bob)


async def test_what_jobs_made_counts_and_a_repeated_request_is_answered(serving, png, settings):
    client, ann = await serving(ann=Allowance(max_storage_mb=1))
    fields = {**QUICK, "imageUrl": await sent(client, png, ann)}
    headers = {**ann, "Idempotency-Key": '"k"'}
    answer = await client.post("/api/generate", data=fields, headers=headers)
    video = (await answer.json())["video"].rpartition("/")[2]

    def grow():
        with (settings.data_dir / "media" / video).open("ab") as file:
            file.write(bytes(1 << 20))

    await asyncio.to_thread(grow)
    other = {**ann, "Idempotency-Key": "other"}
    response = await client.post("/api/generate", data=fields, headers=other)
    assert (await refusal(response, 403))["code"] == "storage_full"
    again = await client.post("/api/generate", data=fields, headers=headers)
    assert again.status == 200
    assert (await again.json()) == (await answer.json())


async def test_a_revoked_key_is_out_within_a_second_and_a_new_one_is_in(serving, settings):
    client, ann = await serving(ann=Allowance())
    assert (await client.get("/api/jobs", headers=ann)).status == 200
    book = KeyBook(settings.data_dir)
    await asyncio.to_thread(book.revoke, "ann")
    clock = asyncio.get_running_loop().time
    since = clock()

    async def refused():
        return (await client.get("/api/jobs", headers=ann)).status == 401

    assert await found(refused)
    assert clock() - since < 1.5
    key = await asyncio.to_thread(book.add, "bob", Allowance())

    async def welcome():
        response = await client.get("/api/jobs", headers={"Authorization": f"Bearer {key}"})
        return response.status == 200

    assert await found(welcome)


async def test_keys_take_turns(serving, png):
    """A key with a long queue does not make another one's first job wait for it."""
    client, ann, bob = await serving(ann=Allowance(), bob=Allowance())
    image = {key["Authorization"]: await sent(client, png, key) for key in (ann, bob)}

    async def ask(key, fields):
        data = {**fields, "imageUrl": image[key["Authorization"]]}
        response = await client.post("/api/generate", data=data, headers={**ASYNC, **key})
        return (await response.json())["id"]

    await ask(ann, LONG)
    hers = [await ask(ann, QUICK) for _ in range(3)]
    his = await ask(bob, QUICK)
    order = await client.app[STORE].positions()
    assert order[his] <= 1, "at most one of hers is before his"
    assert sorted(hers, key=order.__getitem__) == hers
    listed = await (await client.get("/api/jobs?limit=100", headers=ann)).json()
    for job in listed["jobs"]:
        await client.post(f"/api/jobs/{job['id']}/cancel", headers=ann)
