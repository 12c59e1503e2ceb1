"""A full queue: refused with an honest time, and `ready` says no before that."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sidecar.app import create_app
from sidecar.jobs import JobSpec
from sidecar.keys import STORE
from tests.service import refusal
from tests.sidecar.jobs_http import LONG, QUICK, canceled, posted, uploaded, when


@pytest.fixture
async def busy(aiohttp_client, settings, png):
    """A service whose only slot is taken; its queue has ten places. Gives client, fields."""
    client = await aiohttp_client(create_app(replace(settings, demo_jobs=1, max_queued=10)))
    fields = {"imageUrl": await uploaded(client, png), **LONG}
    running = await posted(client, fields)
    await when(client, running["id"], "running")
    yield client, fields
    await canceled(client, running["id"])


async def wait_in_line(client, count):
    """Put jobs in the queue that nobody will run: their turn is far away."""
    for number in range(count):
        await client.app[STORE].submit(JobSpec(f"w{number}", {}, lane="demo"))
    await client.app[STORE]._all("update jobs set not_before = 9e9 where state = 'queued'")


async def test_ready_says_no_while_there_is_still_a_place(busy):
    client, fields = busy
    await wait_in_line(client, 8)
    assert (await client.get("/api/ready")).status == 200
    job = await posted(client, fields)
    body = await refusal(await client.get("/api/ready"), 503)
    assert body["code"] == "queue_full"
    assert body["details"] == "9 of 10 wait."
    await posted(client, fields)
    refused = await client.post("/api/generate", data=fields)
    assert (await refusal(refused, 429))["code"] == "queue_full"
    for each in (await client.app[STORE].list(tenant="", limit=100))[0]:
        if each.id.startswith("w") or each.id == job["id"] or each.state == "queued":
            await client.app[STORE].cancel(each.id)


async def test_the_time_to_wait_is_measured(busy):
    client, fields = busy
    await client.app[STORE]._all(
        "insert into jobs (id, tenant, lane, priority, max_attempts, request_hash, payload, state,"
        " created_at, started_at, finished_at)"
        " values ('earlier', '', 'demo', 0, 9, '', '{}', 'succeeded', 0, 0, 45)"
    )
    await wait_in_line(client, 10)
    refused = await client.post("/api/generate", data={**fields, **QUICK})
    assert refused.status == 429
    assert refused.headers["Retry-After"] == str(45 * 10)
