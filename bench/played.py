"""Servers that are played, for the simulation of the pool: as catalog, as backend, and as fate.

One render at a time each, in the order of their coming; what a failure cuts begins anew. Time is
the event loop's.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sidecar.backends.base import BackendError, RunContext
from sidecar.backends.comfy import unreachable
from sidecar.comfy.errors import Unreachable
from sidecar.media import LocalMediaStore
from sidecar.pool.pool import Pool, Watch
from sidecar.values import Outputs

PIPELINES = [f"pipeline-{n}" for n in range(8)]
RARE = PIPELINES[-1]  # one server in ten can run it
UP_S, DOWN_S = 1500.0, (20.0, 400.0)  # between failures; how long they last
SWITCH_S = 8.0  # to load another pipeline's models


@dataclass
class Server:
    """A played ComfyUI: one render at a time, in the order of their coming."""

    url: str
    runs: frozenset[str]
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    up: asyncio.Event = field(default_factory=asyncio.Event)
    down: asyncio.Event = field(default_factory=asyncio.Event)
    depth: int = 0
    busy_s: float = 0.0
    wasted_s: float = 0.0
    up_s: float = 0.0
    loaded: str = ""


@dataclass(frozen=True)
class Arrival:
    """A job that comes at a moment of virtual time."""

    at: float
    tenant: str
    pipeline: str
    seconds: float


class Played:
    """The servers as catalog and as backend."""

    def __init__(self, servers: Sequence[Server]) -> None:
        self.by_url = {server.url: server for server in servers}
        self.pipelines = dict.fromkeys(PIPELINES)
        self.home: Pool | None = None
        self.waits: dict[str, float] = {}
        self.wanted: dict[str, Arrival] = {}
        self.moved = 0

    # what the pool asks

    async def alive(self, url: str) -> bool:
        return self.by_url[url].up.is_set()

    async def learn(self, url: str) -> None:
        pass

    def runs(self, url: str) -> frozenset[str]:
        return self.by_url[url].runs

    def version(self, _: str) -> str:
        return "0.0"

    def forget(self, url: str) -> None:
        pass

    def client(self, url: str) -> Client:
        return Client(self.by_url[url])

    # what the dispatcher runs

    async def run(self, context: RunContext) -> Outputs:
        server, job_id = self.by_url[context.server], context.job.id
        server.depth += 1
        try:
            while True:
                await self._reachable(context, server)
                async with server.turn:
                    if await self._render(server, job_id, context.request.pipeline):
                        return Outputs("a.png", "a.mp4")
        finally:
            server.depth -= 1

    async def _reachable(self, context: RunContext, server: Server) -> None:
        """Wait for the server as long as the grace time, then let another one have the job."""
        try:
            await asyncio.wait_for(server.up.wait(), Watch().away_s)
        except asyncio.TimeoutError:
            self.moved += 1
            assert self.home is not None
            elsewhere = self.home.others(context.job, server.url)
            error = unreachable(Unreachable("away"), Watch().away_s, begun=False)
            self.home.lost(server.url)
            raise BackendError(error, retry_in=1.0 if elsewhere else None) from None

    async def _render(self, server: Server, job_id: str, pipeline: str) -> bool:
        """Render; False if the server died in the middle, which loses what it had done."""
        if not server.up.is_set():
            return False
        loop = asyncio.get_running_loop()
        begun = loop.time()
        self.waits.setdefault(job_id, begun - self.wanted[job_id].at)
        load = 0.0 if server.loaded == pipeline else SWITCH_S
        server.loaded = pipeline
        try:
            await asyncio.wait_for(server.down.wait(), load + self.wanted[job_id].seconds)
        except asyncio.TimeoutError:
            server.busy_s += loop.time() - begun
            return True
        server.loaded = ""
        server.wasted_s += loop.time() - begun
        return False


class NoMedia(LocalMediaStore):
    """A store in which nothing was ever kept."""

    def __init__(self) -> None:
        super().__init__(Path())

    async def delete_prefix(self, prefix: str) -> int:  # noqa: ARG002
        return 0


@dataclass(frozen=True)
class Client:
    """What the pool asks a server that answers."""

    server: Server

    async def queue_remaining(self) -> int:
        return self.server.depth


async def live(server: Server, rng: random.Random) -> None:
    """Be up and down, for ever."""
    loop = asyncio.get_running_loop()
    while True:
        server.down.clear()
        server.up.set()
        begun = loop.time()
        try:
            await asyncio.sleep(rng.expovariate(1 / UP_S))
        finally:
            server.up_s += loop.time() - begun
        server.up.clear()
        server.down.set()
        await asyncio.sleep(rng.uniform(*DOWN_S))


def fleet(count: int, rng: random.Random) -> list[Server]:
    """Make servers; each can run six of the common pipelines, one in ten the rare one."""
    return [
        Server(
            f"http://server-{number}",
            frozenset({*rng.sample(PIPELINES[:-1], 6)} | ({RARE} if number % 10 == 0 else set())),
        )
        for number in range(count)
    ]
