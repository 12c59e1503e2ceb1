"""Tells what is due: one message a job, again and again over days until it arrives.

Knows the outbox, the jobs and the post as protocols. Nothing that happens here can reach a job: the
loop runs beside them, a few calls at once, of which few go to the same host.
"""

from __future__ import annotations

import asyncio
import json
import logging
import random
from collections import Counter
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Protocol

from sidecar.disk import report
from sidecar.http.answers import job_view, timestamp
from sidecar.http.bodies import WebhookBody
from sidecar.jobs import Job, JobStore
from sidecar.waiting import happened

from .outbox import Delivery, Fate, Outbox
from .post import NotPosted, Reply
from .sign import Signer

log = logging.getLogger(__name__)

_MINUTE, _HOUR = 60.0, 3600.0


class Post(Protocol):
    """One way to call an address."""

    async def post(self, address: str, body: str, headers: Mapping[str, str]) -> Reply:
        """Post the body. Raises NotPosted."""
        ...


@dataclass(frozen=True)
class Pace:
    """How many calls at once, how often to look, and the seconds between attempts.

    The waits are those that the standard proposes; a little chance keeps many from coming together.
    """

    most: int = 8
    most_per_host: int = 2
    tick_s: float = 1.0
    hold_s: float = 60.0  # longer than a call may take
    waits: tuple[float, ...] = (
        5.0,
        5 * _MINUTE,
        30 * _MINUTE,
        2 * _HOUR,
        5 * _HOUR,
        10 * _HOUR,
        14 * _HOUR,
        20 * _HOUR,
        24 * _HOUR,
    )
    longest_wait: float = 24 * _HOUR  # that an address may ask for


class Sender:
    """Sends what the outbox holds for as long as it serves."""

    def __init__(
        self,
        outbox: Outbox,
        jobs: JobStore,
        signer: Signer,
        post: Post,
        pace: Pace | None = None,
    ) -> None:
        self._outbox = outbox
        self._jobs = jobs
        self._signer = signer
        self._post = post
        self._pace = pace or Pace()
        self._busy: Counter[str] = Counter()
        self._calls: set[asyncio.Task[None]] = set()
        self._free = asyncio.Event()

    @asynccontextmanager
    async def serving(self) -> AsyncGenerator[None, None]:
        """Send for the time of the block; what is under way at its end is due again later."""
        loop = asyncio.create_task(self._serve(), name="webhooks")
        try:
            yield
        finally:
            tasks = [loop, *self._calls]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _serve(self) -> None:
        while True:
            delivery = await self._next() if len(self._calls) < self._pace.most else None
            if delivery is not None:
                self._start(delivery)
                continue
            self._free.clear()
            await happened(self._free, self._pace.tick_s)

    async def _next(self) -> Delivery | None:
        crowded = [host for host, n in self._busy.items() if n >= self._pace.most_per_host]
        try:
            return await self._outbox.claim(hold_s=self._pace.hold_s, but_hosts=crowded)
        except Exception as error:  # noqa: BLE001  an edge: a full disk must not end the telling for ever
            report(log, error, "the webhooks can't be read; trying again")
            return None

    def _start(self, delivery: Delivery) -> None:
        self._busy[delivery.host] += 1
        call = asyncio.create_task(self._attend(delivery), name=delivery.id)
        self._calls.add(call)

        def ended(_: asyncio.Task[None]) -> None:
            self._calls.discard(call)
            self._busy[delivery.host] -= 1
            if not self._busy[delivery.host]:
                del self._busy[delivery.host]
            self._free.set()

        call.add_done_callback(ended)

    async def _attend(self, delivery: Delivery) -> None:
        try:
            await self._deliver(delivery)
        except Exception as error:  # noqa: BLE001  an edge: it is due again, and must not stop the others
            said = "webhook %s of job %s could not be settled"
            report(log, error, said, delivery.id, delivery.job_id)

    async def _deliver(self, delivery: Delivery) -> None:
        job = await self._jobs.get(delivery.job_id)
        if job is None:
            return await self._outbox.settle(delivery, Fate.GONE, "the job was deleted")
        body = message(delivery, job)
        headers = self._signer.headers(delivery.id, datetime.now(timezone.utc), body)
        try:
            reply = await self._post.post(delivery.url, body, headers)
        except NotPosted as error:
            return await self._again(delivery, str(error), 0.0)
        if 200 <= reply.status < 300:
            return await self._outbox.settle(delivery, Fate.DELIVERED, f"status {reply.status}")
        if reply.status == 410:
            return await self._outbox.settle(delivery, Fate.GONE, "status 410")
        return await self._again(delivery, f"status {reply.status}", reply.retry_after)

    async def _again(self, delivery: Delivery, why: str, asked: float) -> None:
        waits = self._pace.waits
        log.warning("webhook of job %s, attempt %d: %s", delivery.job_id, delivery.attempts, why)
        if delivery.attempts > len(waits):
            return await self._outbox.settle(delivery, Fate.EXHAUSTED, why)
        usual = waits[delivery.attempts - 1] * random.uniform(0.9, 1.1)  # noqa: S311  no secret
        wait = max(usual, min(asked, self._pace.longest_wait))
        return await self._outbox.postpone(delivery, wait, why)


def message(delivery: Delivery, job: Job) -> str:
    """Return the body: the same at each attempt, since the job has ended."""
    body: WebhookBody = {
        "type": delivery.kind,
        "timestamp": timestamp(job.finished_at),
        "data": job_view(job, None, delivery.base),
    }
    return json.dumps(body)
