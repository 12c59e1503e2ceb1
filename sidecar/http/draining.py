"""Answers under way, counted, so that a service told to stop can let them finish.

Knows requests only. Streams of events are not counted: they end when the service does.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from aiohttp import web
from aiohttp.typedefs import Middleware

from sidecar.room import Changes

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_ENDLESS = "/events"


class Answers:
    """How many requests are being answered."""

    def __init__(self) -> None:
        self.count = 0
        self._changed = Changes()

    def middleware(self) -> Middleware:
        """Return the middleware that counts."""

        @web.middleware
        async def counted(request: web.Request, handler: Handler) -> web.StreamResponse:
            if request.path.endswith(_ENDLESS):
                return await handler(request)
            self.count += 1
            try:
                return await handler(request)
            finally:
                self.count -= 1
                self._changed.tell()

        return counted

    async def finished(self, timeout_s: float) -> bool:
        """Wait until none is under way; False after the time-out."""
        loop = asyncio.get_running_loop()
        end = loop.time() + timeout_s
        while self.count and loop.time() < end:
            await self._changed.wait(end - loop.time())
        return not self.count
