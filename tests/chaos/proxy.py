"""A TCP proxy that mistreats connections: cuts them at random bytes, delays and stalls.

Knows bytes only. Everything random comes from the generator that it is given.
"""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass

PIECE = 16 * 1024


class Cut(Exception):
    """The connection is cut here, on purpose."""


@dataclass(frozen=True)
class Malice:
    """How bad it is: all zero is an honest proxy.

    `cut`: the part of all connections that are cut, after up to `cut_bytes` bytes. `slow`: the part
    of all pieces that are held for up to `slow_s`.
    """

    cut: float = 0.0
    cut_bytes: int = 20_000
    slow: float = 0.0
    slow_s: float = 0.3


class Proxy:
    """Listens on a free port and passes on to `upstream` (a port on 127.0.0.1)."""

    def __init__(self, upstream: int, rng: random.Random) -> None:
        self.upstream = upstream
        self.malice = Malice()
        self.cuts = 0
        self.connections = 0
        self._rng = rng
        self._open = asyncio.Event()
        self._open.set()
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None
        self.port = 0

    @property
    def url(self) -> str:
        """The address that stands for the upstream."""
        return f"http://127.0.0.1:{self.port}"

    async def start(self) -> None:
        """Listen (again on the same port)."""
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def refuse(self) -> None:
        """Stop listening: connecting is refused, as by a machine whose server is down."""
        if self._server is not None:
            self._server.close()
            self._server = None

    async def stop(self) -> None:
        """Stop listening and cut everything."""
        await self.refuse()
        self.cut_all()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def cut_all(self) -> None:
        """Cut all connections at once."""
        for writer in list(self._writers):
            writer.transport.abort()

    async def stall(self, seconds: float) -> None:
        """Pass nothing on for a while; connections stay open."""
        self._open.clear()
        await asyncio.sleep(seconds)
        self._open.set()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        task = asyncio.current_task()
        if task is not None:
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        self._writers.add(writer)
        try:
            await self._open.wait()
            await self._connected(reader, writer)
        except (OSError, asyncio.CancelledError):
            pass
        finally:
            self._writers.discard(writer)
            if not writer.is_closing():
                writer.transport.abort()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        up_reader, up_writer = await asyncio.open_connection("127.0.0.1", self.upstream)
        self._writers.add(up_writer)
        pumps = [
            asyncio.create_task(self._pump(reader, up_writer, self._budget())),
            asyncio.create_task(self._pump(up_reader, writer, self._budget())),
        ]
        try:
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._writers.discard(up_writer)
            up_writer.transport.abort()
            for pump in pumps:
                pump.cancel()
            ends = await asyncio.gather(*pumps, return_exceptions=True)
            if Cut not in map(type, ends):
                writer.close()  # an honest end: what is still in the buffer goes out

    def _budget(self) -> int | None:
        """Return after how many bytes one way is cut; None: never."""
        if self._rng.random() >= self.malice.cut:
            return None
        return self._rng.randint(0, self.malice.cut_bytes)

    async def _pump(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, budget: int | None
    ) -> None:
        while data := await reader.read(PIECE):
            await self._open.wait()
            if self._rng.random() < self.malice.slow:
                await asyncio.sleep(self._rng.uniform(0, self.malice.slow_s))
            if budget is not None and len(data) > budget:
                data, budget = data[:budget], -1
            writer.write(data)
            await writer.drain()
            if budget is not None:
                budget -= len(data)
                if budget < 0:
                    self.cuts += 1
                    raise Cut
