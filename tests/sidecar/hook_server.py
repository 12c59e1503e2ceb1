"""A receiver of webhooks for tests: a real server on port 0 that answers as the test says."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web
from aiohttp.test_utils import TestServer
from standardwebhooks import Webhook

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


@dataclass
class Receiver:
    """Answers with each of `answers`, then 200 for ever; keeps what it got."""

    answers: list[int] = field(default_factory=list)
    headers: Mapping[str, str] = field(default_factory=dict)
    hold: asyncio.Event | None = None
    got: list[dict] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    at_once: int = 0
    most_at_once: int = 0
    url: str = ""

    async def receive(self, request: web.Request) -> web.Response:
        body = await request.read()
        self.got.append(Webhook(SECRET).verify(body, dict(request.headers)))
        self.ids.append(request.headers["webhook-id"])
        self.bodies.append(body)
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            if self.hold is not None:
                await self.hold.wait()
        finally:
            self.at_once -= 1
        status = self.answers.pop(0) if self.answers else 200
        return web.Response(status=status, headers=self.headers)


@asynccontextmanager
async def receiving(*answers: int, **more) -> AsyncGenerator[Receiver, None]:
    receiver = Receiver([*answers], **more)
    app = web.Application()
    app.router.add_post("/hook", receiver.receive)
    async with TestServer(app) as server:
        receiver.url = str(server.make_url("/hook"))
        yield receiver
        if receiver.hold is not None:
            receiver.hold.set()
