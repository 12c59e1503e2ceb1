"""Clients that send or read too slowly are let go, and there are only so many: others need room.

Knows sockets and aiohttp's protocol. Must not know routes. A head that never ends is closed as an
idle connection is, by aiohttp itself; here are bodies that trickle, answers that nobody reads, and
the number of connections.
"""

from __future__ import annotations

import asyncio
import socket
from dataclasses import dataclass
from typing import Any

from aiohttp import StreamReader, web

from sidecar.access.headers import BARE
from sidecar.errors import ApiError, BadRequest, Unavailable

from .answers import error_body

_RATE = 500.0  # bytes a second that a body must come with: a tenth of the slowest phone's
_LINGER_S = 10.0  # for a body that nobody wants: who sends it is to hear the answer
_BEYOND = 2**20  # bytes of a body above the largest right one: who reads it is to refuse it first
_UNREAD = 4 * 2**20  # bytes that a packed body may unfold to when nobody wants it
_SPARE_FILES = 100  # that the service opens itself: databases, pictures, servers


@dataclass(frozen=True)
class Patience:
    """Seconds: between requests, for a body that trickles or an answer not read, for a body."""

    idle_s: float = 75.0  # longer than a reverse proxy keeps a connection
    stall_s: float = 30.0
    body_s: float = 600.0
    most: int = 2000  # connections


class TooSlow(web.RequestPayloadError):
    """A body was given up."""

    def answer(self) -> ApiError:
        """Return what its sender is told."""
        return BadRequest(
            "The body comes too slowly: send it again over a better connection.",
            code="body_too_slow",
            details="The operator sets by PROMPTREEL_STALL_SECONDS and PROMPTREEL_BODY_SECONDS how "
            "long is waited.",
        )


class TooMuch(web.RequestPayloadError):
    """A body has more bytes than any right one."""


class Patient(web.RequestHandler):
    """aiohttp's own protocol, with an end to its patience."""

    __slots__ = ("_begun", "_deaf", "_going_on", "_look", "_mark", "_patience", "_stuck", "_unread")

    def __init__(
        self,
        manager: web.Server,
        *,
        patience: Patience,
        **options: Any,  # noqa: ANN401  aiohttp's own
    ) -> None:
        lingering = min(patience.stall_s, _LINGER_S)
        super().__init__(
            manager, keepalive_timeout=patience.idle_s, lingering_time=lingering, **options
        )
        self._patience = patience
        self._look: asyncio.TimerHandle | None = None
        self._stuck: asyncio.TimerHandle | None = None
        self._mark: tuple[web.BaseRequest | None, int] = (None, 0)
        self._begun = 0.0
        self._going_on: asyncio.Handle | None = None
        self._unread: tuple[StreamReader, int] | None = None
        self._deaf = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin to watch."""
        super().connection_made(transport)
        _forget_the_unread(transport, self._patience.stall_s)
        self._look = self._loop.call_later(self._patience.stall_s, self._look_at_body)

    def connection_lost(self, exc: BaseException | None) -> None:
        """Watch no more."""
        for timer in (self._look, self._stuck, self._going_on):
            if timer is not None:
                timer.cancel()
        self._look = self._stuck = self._going_on = self._unread = None
        self._mark = (None, 0)
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        """Give the client a while to read on."""
        super().pause_writing()
        self._stuck = self._loop.call_later(self._patience.stall_s, self._cut)

    def resume_writing(self) -> None:
        """Go on: it reads."""
        if self._stuck is not None:
            self._stuck.cancel()
            self._stuck = None
        super().resume_writing()

    def resume_reading(self, resume_parser: bool = True) -> None:
        """Let the body go on, but not before everybody else had a turn.

        aiohttp would unfold the next piece of a packed body at once, and so, for whoever reads it
        piece by piece, all of it without a pause.
        """
        if self._going_on is None:
            self._going_on = self._loop.call_soon(self._go_on, resume_parser)

    def _go_on(self, resume_parser: bool) -> None:
        self._going_on = None
        if self.transport is not None and not self._has_enough():
            super().resume_reading(resume_parser)

    def _has_enough(self) -> bool:
        """Whether more came of a body than may; then it ends here."""
        if self._unread is not None:
            content, most = self._unread
            if content.total_bytes > most:
                self._hear_no_more()
            return content.total_bytes > most
        request = self._current_request
        if request is None or request.content.total_bytes <= request.client_max_size + _BEYOND:
            return False
        request.content.set_exception(TooMuch())
        return True

    def _hear_no_more(self) -> None:
        """Throw away what still comes: who sends it is to read the answer, not a cut connection."""
        self._deaf = True
        if isinstance(self.transport, asyncio.Transport):
            self.transport.write_eof()
            self.transport.resume_reading()

    def data_received(self, data: bytes) -> None:
        """Take what came."""
        if not self._deaf:
            super().data_received(data)

    async def finish_response(
        self, request: web.BaseRequest, resp: web.StreamResponse, start_time: float | None
    ) -> tuple[web.StreamResponse, bool]:
        """Send an answer. What is left of a packed body is not unfolded for long."""
        content = request.content
        if "Content-Encoding" in request.headers and not content.is_eof():
            self._unread = content, content.total_bytes + _UNREAD
            resp.force_close()
        return await super().finish_response(request, resp, start_time)

    def _cut(self) -> None:
        if isinstance(self.transport, asyncio.WriteTransport):
            self.transport.abort()

    def _look_at_body(self) -> None:
        """Give up a body of which too little has come since the last look, or that takes too long.

        Where we have not read what came, the client is not to blame.
        """
        self._look = self._loop.call_later(self._patience.stall_s, self._look_at_body)
        request, now = self._current_request, self._loop.time()
        if request is None or request.content.is_eof():
            self._mark = (None, 0)
            return
        (before, had), has = self._mark, request.content.total_bytes
        self._mark = (request, has)
        if before is not request:
            self._begun = now
            return
        waits = isinstance(self.transport, asyncio.ReadTransport) and self.transport.is_reading()
        trickles = waits and has - had < _RATE * self._patience.stall_s
        if trickles or now - self._begun > self._patience.body_s:
            request.content.set_exception(TooSlow())


class Refusing(asyncio.Protocol):
    """Tells a client that there are too many, and hangs up."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Answer before it has asked."""
        if isinstance(transport, asyncio.WriteTransport):
            transport.write(_full())
            transport.close()


def room(most: int) -> int:
    """Return how many connections there may be: no more than there are files to open."""
    try:
        import resource  # noqa: PLC0415  not on Windows, which has no such limit
    except ImportError:
        return most
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return most if files == resource.RLIM_INFINITY else min(most, max(files - _SPARE_FILES, 10))


def _full() -> bytes:
    error = Unavailable(
        "Too many connections are open: try again in 5 s.",
        code="too_many_connections",
        details="The operator sets by PROMPTREEL_MAX_CONNECTIONS how many may be.",
    )
    body = web.json_response(error_body(error)).body
    text = body if isinstance(body, bytes) else b""
    headers = {
        "Content-Type": "application/json",
        "Content-Length": str(len(text)),
        "Retry-After": "5",
        "Connection": "close",
        **BARE,
    }
    lines = ["HTTP/1.1 503 Service Unavailable", *(f"{k}: {v}" for k, v in headers.items())]
    return "\r\n".join([*lines, "", ""]).encode() + text


def _forget_the_unread(transport: asyncio.BaseTransport, seconds: float) -> None:
    """Let the system give up a client that takes nothing, where it can (Linux).

    Files are sent by the system itself (sendfile), which tells nobody that it makes no progress.
    """
    option, sock = getattr(socket, "TCP_USER_TIMEOUT", None), transport.get_extra_info("socket")
    if option is not None and sock is not None and sock.family != getattr(socket, "AF_UNIX", None):
        sock.setsockopt(socket.IPPROTO_TCP, option, int(seconds * 1000))
