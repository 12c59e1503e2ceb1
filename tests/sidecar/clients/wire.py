"""A real TCP wire between a client and the service, which can be cut at the worst moment."""

from __future__ import annotations

import asyncio
from contextlib import suppress


class Wire:
    """Use with `async with`. `url` is what the client is told; `port` where the service is."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._tasks: set[asyncio.Task[None]] = set()
        self._writers: set[asyncio.StreamWriter] = set()
        self.cut_after: list[bytes] = []  # the next answer that holds the text is swallowed
        self.connections = 0
        self.refusing = False

    async def __aenter__(self) -> Wire:
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *_) -> None:
        self._server.close()
        self.cut()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._server.wait_closed()

    def cut(self) -> None:
        """Break every connection without a word."""
        for writer in self._writers:
            writer.transport.abort()

    async def _connected(self, reader, writer) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        self.connections += 1
        if self.refusing:
            writer.transport.abort()
            return
        there_reader, there = await asyncio.open_connection("127.0.0.1", self._port)
        self._writers |= {writer, there}
        try:
            await asyncio.wait(
                [
                    asyncio.ensure_future(self._pump(reader, there, answers=False)),
                    asyncio.ensure_future(self._pump(there_reader, writer, answers=True)),
                ],
                return_when=asyncio.FIRST_COMPLETED,
            )
        finally:
            for each in (writer, there):
                self._writers.discard(each)
                each.transport.abort()

    async def _pump(self, reader, writer, *, answers: bool) -> None:
        with suppress(ConnectionError):
            while data := await reader.read(65536):
                if answers and self.cut_after and self.cut_after[0] in data:
                    self.cut_after.pop(0)
                    writer.transport.abort()
                    return
                writer.write(data)
                await writer.drain()
