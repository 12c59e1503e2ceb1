"""GET /api/jobs: newest first, page by page, by status."""

from __future__ import annotations

import pytest

from sidecar.jobs import JobSpec
from sidecar.keys import STORE
from tests.service import refusal


@pytest.fixture
async def five(client):
    for name in "abcde":
        await client.app[STORE].submit(JobSpec(name, {"pipeline": "p"}, lane="test"))
    await client.app[STORE].cancel("c")
    return client


async def listed(client, **query):
    response = await client.get("/api/jobs", params=query)
    body = await response.json()
    assert response.status == 200, body
    return "".join(job["id"] for job in body["jobs"]), body["nextCursor"]


async def test_newest_first(five):
    assert await listed(five) == ("edcba", None)
    body = await (await five.get("/api/jobs", params={"limit": "1"})).json()
    assert body["jobs"][0] == await (await five.get("/api/jobs/e")).json()
    assert body["jobs"][0]["queuePosition"] == 3


async def test_page_by_page(five):
    ids, cursor = await listed(five, limit="2")
    then, last = await listed(five, limit="2", cursor=cursor)
    assert (ids, then) == ("ed", "cb")
    assert await listed(five, limit="2", cursor=last) == ("a", None)


async def test_the_last_page_has_no_cursor(five):
    _, cursor = await listed(five, limit="3")
    assert await listed(five, limit="3", cursor=cursor) == ("ba", None)


async def test_by_status(five):
    assert await listed(five, status="canceled") == ("c", None)
    assert await listed(five, status="queued,canceled") == ("edcba", None)
    assert await listed(five, status="succeeded") == ("", None)
    assert await listed(five, status="") == ("edcba", None)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("status", "done"),
        ("status", "queued,done"),
        ("status", "queued, canceled"),
        ("status", "\u00a0"),
        ("limit", " "),
        ("limit", "0"),
        ("limit", "101"),
        ("limit", "-1"),
        ("limit", "x"),
        ("limit", "1" * 5000),
        ("limit", "\u0661"),
        ("cursor", "x"),
        ("cursor", "\u044f"),
        ("stauts", "queued"),
    ],
)
async def test_a_wrong_filter_is_refused_by_name(five, name, value):
    body = await refusal(await five.get("/api/jobs", params={name: value}))
    assert set(body["fields"]) == {name}


async def test_somebody_elses_job_is_not_there(client):
    await client.app[STORE].submit(JobSpec("theirs", {"pipeline": "p"}, tenant="t", lane="test"))
    assert await listed(client) == ("", None)
    for call in (client.get, client.post):
        path = "/api/jobs/theirs" if call == client.get else "/api/jobs/theirs/cancel"
        await refusal(await call(path), 404)
    assert not (await client.app[STORE].get("theirs")).state.terminal


async def test_the_servers_have_no_filters(client):
    response = await client.get("/api/servers", params={"status": "alive"})
    body = await refusal(response, 400)
    assert body["code"] == "unknown_field"
    assert body["error"] == "Unknown field 'status': there are none here."
