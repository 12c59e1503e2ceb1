"""Jobs over HTTP in tests: posted without waiting, looked at, canceled; events as they come."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from typing import Any

from tests.service import picture_form
from tests.waiting import found

LONG = {"text": "zoom in", "seconds": "60", "resolution": "1080p", "fps": "60"}
QUICK = {"text": "zoom in", "seconds": "0.5", "resolution": "480p", "fps": "12"}
ASYNC = {"Prefer": "respond-async"}


async def uploaded(client, png) -> str:
    response = await client.post("/api/upload", data=picture_form(png))
    return (await response.json())["imageUrl"]


async def posted(client, fields, **headers) -> dict[str, Any]:
    """Post without waiting; return the job."""
    response = await client.post("/api/generate", data=fields, headers={**ASYNC, **headers})
    body = await response.json()
    assert response.status == 202, body
    return body


async def shown(client, job_id) -> dict[str, Any]:
    return await (await client.get(f"/api/jobs/{job_id}")).json()


async def when(client, job_id, *statuses) -> dict[str, Any]:
    """Return the job as soon as it has one of the states."""

    async def ask():
        job = await shown(client, job_id)
        return job if job["status"] in statuses else {}

    return await found(ask)


async def canceled(client, *job_ids) -> None:
    for job_id in job_ids:
        await client.post(f"/api/jobs/{job_id}/cancel")
        await when(client, job_id, "canceled", "succeeded", "failed")


@dataclass(frozen=True)
class Sent:
    """One server-sent event."""

    name: str
    id: str
    data: Any = field(default=None)


async def read_events(response, *, comments: list[str] | None = None):
    """Give the events of a stream as they come, until it ends."""
    block: dict[str, str] = {}
    async for raw in response.content:
        line = raw.decode().rstrip("\n")
        if line.startswith(":") and comments is not None:
            comments.append(line)
        elif line and not line.startswith(":"):
            name, _, value = line.partition(": ")
            block[name] = value
        elif not line and "event" in block:
            yield Sent(block["event"], block["id"], json.loads(block["data"]))
            block = {}


async def all_events(client, job_id, last: str = "", seconds: float = 30.0) -> list[Sent]:
    """Return a job's events to the end of the stream."""
    headers = {"Last-Event-ID": last} if last else {}

    async def read():
        async with client.get(f"/api/jobs/{job_id}/events", headers=headers) as response:
            assert response.status == 200, await response.text()
            return [event async for event in read_events(response)]

    return await asyncio.wait_for(read(), seconds)
