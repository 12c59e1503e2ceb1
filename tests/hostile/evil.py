"""A picture's server that wants to hurt whoever fetches from it: raw bytes on port 0.

Knows HTTP/1.1 as bytes. Must not know who fetches.
"""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from functools import cache

Writer = asyncio.StreamWriter
OK = b"HTTP/1.1 200 OK\r\nContent-Type: image/png\r\n"
PNG = b"\x89PNG\r\n\x1a\n"
ZEROS = b"\0" * (1 << 20)


class Evil:
    """Answers each path by the function of that name; `seen` holds the requests' heads."""

    def __init__(self) -> None:
        self.port = 0
        self.seen: list[str] = []
        self.open = 0

    @contextlib.asynccontextmanager
    async def serving(self) -> AsyncIterator[Evil]:
        """Serve for the time of the block."""
        server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()

    async def _connected(self, reader: asyncio.StreamReader, writer: Writer) -> None:
        self.open += 1
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            self.seen.append(head)
            path = head.split(" ")[1]
            name, _, rest = path[1:].partition("/")
            if name == "to":
                await moved(writer, rest)
            elif name == "silent":
                await reader.read()
            else:
                await DEEDS[name](writer)
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            self.open -= 1
            writer.close()


async def moved(writer: Writer, target: str) -> None:
    """Redirect to `target`, with a cookie."""
    head = f"HTTP/1.1 302 Found\r\nLocation: {target}\r\nSet-Cookie: a=b; Path=/\r\n"
    writer.write(head.encode() + b"Content-Length: 0\r\n\r\n")


def says(data: bytes) -> Callable[[Writer], Awaitable[None]]:
    """Return what answers with these bytes, then hangs up."""

    async def deed(writer: Writer) -> None:
        writer.write(data)

    return deed


def repeats(head: bytes, piece: bytes, pause: float = 0.0) -> Callable[[Writer], Awaitable[None]]:
    """Return what sends `piece` again and again until the other side has gone."""

    async def deed(writer: Writer) -> None:
        writer.write(head)
        while not writer.is_closing():
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(pause)

    return deed


@cache
def zip_bomb() -> bytes:
    """Return the gzip of a PNG's signature and 10 GB of zeros, three times gzipped: 1 KB or so."""
    pieces: list[bytes] = []
    packer = zlib.compressobj(9, wbits=31)
    pieces.append(packer.compress(PNG))
    piece = packer.compress(ZEROS * 16) + packer.flush(zlib.Z_FULL_FLUSH)
    inner = packer.compress(ZEROS) + packer.flush(zlib.Z_FULL_FLUSH)
    return b"".join(pieces) + piece + inner * 640  # its checksum is never reached


def body(data: bytes, *headers: bytes) -> Callable[[Writer], Awaitable[None]]:
    """Return what answers with a body and more headers."""
    lines = b"".join(header + b"\r\n" for header in headers)
    return says(OK + lines + b"Content-Length: %d\r\n\r\n" % len(data) + data)


async def loop_of_redirects(writer: Writer) -> None:
    """Redirect to itself."""
    await moved(writer, "/loop")


def _bomb() -> bytes:
    return zip_bomb()


DEEDS: Mapping[str, Callable[[Writer], Awaitable[None]]] = {
    "loop": loop_of_redirects,
    "nowhere": says(b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n"),
    "moved-endless": repeats(b"HTTP/1.1 302 Found\r\nLocation: /loop\r\n\r\n", ZEROS),
    "gzip-bomb": lambda writer: body(_bomb(), b"Content-Encoding: gzip")(writer),
    "transfer-bomb": lambda writer: says(
        OK
        + b"Transfer-Encoding: gzip, chunked\r\n\r\n"
        + b"%x\r\n" % len(_bomb())
        + _bomb()
        + b"\r\n0\r\n\r\n"
    )(writer),
    "nested-bomb": lambda writer: body(
        gzip.compress(gzip.compress(_bomb())), b"Content-Encoding: gzip, gzip, gzip"
    )(writer),
    "unknown-coding": body(PNG + b"x" * 99, b"Content-Encoding: zstd-of-doom"),
    "endless": repeats(OK + b"\r\n" + PNG, ZEROS),
    "endless-chunks": repeats(
        OK + b"Transfer-Encoding: chunked\r\n\r\n", b"%x\r\n" % len(ZEROS) + ZEROS + b"\r\n"
    ),
    "endless-length": repeats(OK + b"Content-Length: 9000000000000\r\n\r\n" + PNG, ZEROS),
    "length-max": says(OK + b"Content-Length: 99999999999999999999999999\r\n\r\n" + PNG),
    "length-minus": says(OK + b"Content-Length: -1\r\n\r\n" + PNG),
    "length-word": says(OK + b"Content-Length: many\r\n\r\n" + PNG),
    "length-two": says(OK + b"Content-Length: 8\r\nContent-Length: 9\r\n\r\n" + PNG),
    "length-short": says(OK + b"Content-Length: 5000\r\n\r\n" + PNG),
    "length-less": says(OK + b"Content-Length: 3\r\n\r\n" + PNG * 100),
    "length-none": says(OK + b"Content-Length: 0\r\n\r\n"),
    "chunk-broken": says(OK + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n" + PNG),
    "chunk-cut": says(OK + b"Transfer-Encoding: chunked\r\n\r\n99\r\n" + PNG),
    "chunk-huge": says(OK + b"Transfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n" + PNG),
    "chunk-extension": repeats(OK + b"Transfer-Encoding: chunked\r\n\r\n1;", b"x" * 65536),
    "trailers": repeats(
        OK + b"Transfer-Encoding: chunked\r\n\r\n0\r\n", b"X: " + b"y" * 4000 + b"\r\n"
    ),
    "slow-body": repeats(OK + b"Content-Length: 1000000\r\n\r\n", b"x", 0.1),
    "slow-head": repeats(b"HTTP/1.1 200 OK\r\n", b"X: y\r\n", 0.1),
    "silent": says(b""),
    "head-endless": repeats(b"HTTP/1.1 200 OK\r\nX: ", b"y" * 65536),
    "heads-endless": repeats(b"HTTP/1.1 200 OK\r\n", b"X: y\r\n" * 1000),
    "status-endless": repeats(b"HTTP/1.1 200 ", b"O" * 65536),
    "continues": repeats(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 100),
    "early-hints": repeats(b"", b"HTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\n" * 100),
    "no-http": says(b"220 ftp ready\r\n" * 100),
    "http-0.9": says(PNG + b"x" * 100),
    "http-2": says(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    "nothing": says(b""),
    "upgrade": says(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n" + PNG),
    "empty": says(b"HTTP/1.1 204 No Content\r\n\r\n"),
    "partial": says(b"HTTP/1.1 206 Partial\r\nContent-Length: 8\r\n\r\n" + PNG),
    "unchanged": says(b"HTTP/1.1 304 Not Modified\r\n\r\n"),
    "refused": says(b"HTTP/1.1 401 No\r\nWWW-Authenticate: Basic\r\nContent-Length: 0\r\n\r\n"),
    "failed": says(b"HTTP/1.1 500 <script>alert(1)</script>\r\nContent-Length: 0\r\n\r\n"),
    "page": body(b"<html><script>alert(1)</script></html>", b"Content-Type: text/html"),
    "injected": says(OK + b"X: a\r\n\tb\r\nY\x00: c\r\n\r\n" + PNG),
}
