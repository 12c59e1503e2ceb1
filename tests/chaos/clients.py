"""Clients that never give up: they ask, ask again after a lost answer, and follow to the end.

Knows the HTTP contract. Must not know what is being done to the service meanwhile.
"""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import aiohttp

from tests.chaos.plan import Manner, Wish
from tests.chaos.record import OVER, Record, Seen

PREFER = {
    Manner.POLL: "respond-async",
    Manner.EVENTS: "respond-async",
    Manner.WAIT: "wait=1",
    Manner.SYNC: "",
}
GONE = (aiohttp.ClientError, asyncio.TimeoutError, OSError)


class Customers:
    """All clients of one service."""

    def __init__(
        self, session: aiohttp.ClientSession, url: str, prefix: str, record: Record
    ) -> None:
        self._session = session
        self._url = url
        self._prefix = prefix
        self._record = record
        self.pictures: list[str] = []

    async def upload(self, data: bytes) -> str:
        """Upload a picture, however often it takes; return its path."""
        while True:
            form = aiohttp.FormData()
            form.add_field("image", data, filename="a.png", content_type="image/png")
            try:
                async with self._session.post(f"{self._url}/api/upload", data=form) as answer:
                    if answer.status == 200:
                        return "/api/files/" + (await answer.json())["imageUrl"].split("/")[-1]
            except GONE:
                pass
            await asyncio.sleep(0.2)

    async def want(self, wish: Wish) -> None:
        """Ask for one job by all of its clients at once, and see it end."""
        seen = self._record.of(wish)
        clients = [self._one(wish, seen, number) for number in range(wish.clients)]
        await asyncio.gather(*clients)

    async def again(self, wish: Wish) -> None:
        """Send the request once more, long after."""
        seen = self._record.of(wish)
        seen.view(await self._job(await self._accepted(wish, seen, Manner.POLL, 0), seen))

    async def _one(self, wish: Wish, seen: Seen, number: int) -> None:
        manner = wish.manner if number == 0 else Manner.POLL
        job_id = await self._accepted(wish, seen, manner, number)
        if wish.cancel_after is not None and number == 0:
            await asyncio.sleep(wish.cancel_after)
            await self._cancel(job_id, seen)
        if manner is Manner.EVENTS:
            await self._listen(job_id, seen)
        while not over(await self._job(job_id, seen)):  # noqa: ASYNC110  polling is a manner
            await asyncio.sleep(0.25)

    async def _accepted(self, wish: Wish, seen: Seen, manner: Manner, number: int) -> str:
        """Ask until the service says that it has the job; return its id."""
        pause = random.Random(f"{wish.name}-{number}")
        while True:
            before = seen.before()
            try:
                status, body, headers = await self._post(wish, manner)
            except GONE:
                await asyncio.sleep(pause.uniform(0.05, 0.5))
                continue
            if status in (200, 202):
                return self._took(body, seen, before)
            code = str(body.get("code"))
            if status in (400, 401, 403, 409):
                seen.wrong.append(f"refused with {status} {code}: {body.get('error')}")
            self._record.refused(f"{status} {code}")
            manner = Manner.POLL  # a failed job and a refusal look alike: its id tells
            await asyncio.sleep(min(float(headers.get("Retry-After", 0.3)), 2.0))

    def _took(self, body: dict[str, Any], seen: Seen, before: tuple[set[str], float]) -> str:
        if "jobId" in body:
            seen.result(body)
            return body["jobId"]
        seen.view(body, before)
        return body["id"]

    async def _post(self, wish: Wish, manner: Manner) -> tuple[int, dict[str, Any], dict[str, str]]:
        fields = {
            "imageUrl": self.pictures[wish.picture % len(self.pictures)],
            "text": wish.said,
            "comfyPipeline": wish.pipeline,
        }
        if wish.pipeline == "ledger":
            fields["steps"] = str(wish.steps)
        else:
            fields |= {"seconds": "0.5", "resolution": "480p", "fps": "12"}
        headers = {"Idempotency-Key": f"{self._prefix}-{wish.name}"}
        if PREFER[manner]:
            headers["Prefer"] = PREFER[manner]
        async with self._session.post(
            f"{self._url}/api/generate", data=fields, headers=headers
        ) as answer:
            return answer.status, await answer.json(), dict(answer.headers)

    async def _job(self, job_id: str, seen: Seen) -> dict[str, Any]:
        """Return the job as it is now, as soon as the service answers."""
        while True:
            before = seen.before()
            try:
                async with self._session.get(f"{self._url}/api/jobs/{job_id}") as answer:
                    body = await answer.json()
                    if answer.status == 200:
                        seen.view(body, before)
                        return body
                    if answer.status == 404:
                        seen.wrong.append(f"the accepted job {job_id} is lost (404)")
                        return {"id": job_id, "status": "failed"}
            except GONE:
                pass
            await asyncio.sleep(0.2)

    async def _cancel(self, job_id: str, seen: Seen) -> None:
        while True:
            try:
                async with self._session.post(f"{self._url}/api/jobs/{job_id}/cancel") as answer:
                    if answer.status == 200:
                        seen.canceled_asked = True
                        return
            except GONE:
                pass
            await asyncio.sleep(0.2)

    async def _listen(self, job_id: str, seen: Seen) -> None:
        """Follow the events to the end, resuming after every break."""
        last = ""
        while True:
            headers = {"Last-Event-ID": last} if last else {}
            try:
                async with self._session.get(
                    f"{self._url}/api/jobs/{job_id}/events",
                    headers=headers,
                    timeout=aiohttp.ClientTimeout(total=None, sock_read=20),
                ) as answer:
                    if answer.status == 200:
                        async for event in events(answer):
                            last = event.id or last
                            seen.hear(event.kind, event.id, event.data)
                        if seen.result_heard:
                            return
                    elif answer.status == 204:
                        if not seen.result_heard:
                            seen.wrong.append(
                                f"nothing follows {last}, and the result was not told"
                            )
                        return
            except GONE:
                pass
            await asyncio.sleep(0.2)

    async def told(self, job_id: str, last: str = "") -> list[str]:
        """Return the ids of the events that follow one of a job that is over; none: 204."""
        headers = {"Last-Event-ID": last} if last else {}
        address = f"{self._url}/api/jobs/{job_id}/events"
        async with self._session.get(address, headers=headers) as answer:
            return [event.id async for event in events(answer)]


def over(job: dict[str, Any]) -> bool:
    """Whether a job has come to its end."""
    return job["status"] in OVER


@dataclass(frozen=True)
class ServerSentEvent:
    """One event of a stream."""

    id: str
    kind: str
    data: dict[str, Any]


async def events(answer: aiohttp.ClientResponse) -> AsyncIterator[ServerSentEvent]:
    """Read server-sent events; comments are skipped."""
    fields: dict[str, str] = {}
    async for raw in answer.content:
        line = raw.decode().rstrip("\r\n")
        if line.startswith(":"):
            continue
        if line:
            name, _, value = line.partition(":")
            fields[name] = fields.get(name, "") + value.removeprefix(" ")
        elif fields:
            if "data" in fields:  # not the time to wait before a reconnection alone
                data = json.loads(fields["data"])
                yield ServerSentEvent(fields.get("id", ""), fields.get("event", "message"), data)
            fields = {}
