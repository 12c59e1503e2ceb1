"""The service on a socket of its own, with its own protocol and as little patience as a test wants.

`aiohttp_client` would serve it with aiohttp's protocol, which lets slow clients be.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket

from aiohttp import web

from sidecar.app import create_app
from sidecar.http.protocol import listen
from sidecar.http.slow import Patience
from sidecar.settings import Settings


class Place:
    """Where the service listens."""

    def __init__(self, app: web.Application, runner: web.AppRunner, port: int) -> None:
        self.app, self.runner, self.port = app, runner, port
        self.url = f"http://127.0.0.1:{port}"
        self.opened: list[asyncio.StreamWriter] = []

    @property
    def connections(self) -> int:
        """How many are open."""
        assert self.runner.server is not None
        return len(self.runner.server.connections)

    async def open(self, *sent: bytes, buffer: int = 0):
        """Connect and send; `buffer`: how much the system keeps for a reader that does not read."""
        sock = socket.socket()
        if buffer:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        sock.setblocking(False)
        await asyncio.get_running_loop().sock_connect(sock, ("127.0.0.1", self.port))
        reader, writer = await asyncio.open_connection(sock=sock, limit=max(buffer, 2**16))
        self.opened.append(writer)
        for piece in sent:
            writer.write(piece)
        await writer.drain()
        return reader, writer

    async def unread(self, asked: bytes) -> None:
        """Connect, ask, and never read."""
        _, writer = await self.open(asked, buffer=4096)
        assert isinstance(writer.transport, asyncio.Transport)
        writer.transport.pause_reading()


@contextlib.asynccontextmanager
async def serving(settings: Settings, patience: Patience):
    app = create_app(settings)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    server = await listen(runner, "127.0.0.1", 0, patience)
    place = Place(app, runner, server.sockets[0].getsockname()[1])
    try:
        yield place
    finally:
        for writer in place.opened:
            writer.transport.abort()
        server.close()
        await runner.cleanup()


async def ended(reader: asyncio.StreamReader, seconds: float = 10.0) -> bytes:
    """Return what came until the other side hung up, or cut the connection."""
    came = b""
    with contextlib.suppress(ConnectionError):
        while piece := await asyncio.wait_for(reader.read(65536), seconds):
            came += piece
    return came
