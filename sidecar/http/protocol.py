"""What is answered before there is a request: bytes that are no HTTP get the contract's JSON too.

Knows aiohttp's protocol and the contract's error body. Must not know routes, settings or the
application. Nothing of what came is repeated, neither in the answer nor in the log.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from aiohttp import HttpVersion11, http_exceptions, web

from sidecar.access.headers import BARE
from sidecar.errors import ApiError, BadRequest, ServerFailure

from .answers import error_body
from .slow import Patience, Patient, Refusing, room

log = logging.getLogger(__name__)

_LINE = 8190  # bytes of a request's first line, and of each header
_NO_HTTP = BadRequest(
    "The request is not valid HTTP/1.1: send it by an HTTP library.",
    details="Its first line, a header or the length of its body can't be understood.",
)
_EXPECTS_TOO_MUCH = BadRequest(
    "Leave the Expect header out, or send 'Expect: 100-continue'.",
    details="Nothing else can be expected.",
)
_BROKEN = (http_exceptions.HttpProcessingError, web.RequestPayloadError, ConnectionError)
_WHY: Mapping[type[BaseException], ApiError] = {
    http_exceptions.LineTooLong: BadRequest(
        "The address or a header is too long: send texts and pictures in the body.",
        details=f"Each may have {_LINE} bytes.",
    ),
    http_exceptions.ContentEncodingError: BadRequest(
        "The body's Content-Encoding is not understood: send the body as it is, or with gzip.",
        code="malformed_body",
        details="Accepted are gzip, deflate and identity.",
    ),
}


async def listen(
    runner: web.AppRunner, host: str, port: int, patience: Patience | None = None
) -> asyncio.Server:
    """Listen for a runner that was set up; close what is returned before its clean-up.

    Raises OSError if the address or port can't be used.
    """
    loop, manager = asyncio.get_running_loop(), runner.server
    if manager is None:
        raise RuntimeError("set the runner up before")

    options: dict[str, Any] = {"access_log": None, "max_line_size": _LINE, "max_field_size": _LINE}
    patience = patience or Patience()
    most = room(patience.most)

    def connected() -> asyncio.Protocol:
        if len(manager.connections) >= most:
            return Refusing()
        return Protocol(manager, loop=loop, patience=patience, **options)

    return await loop.create_server(connected, host, port, backlog=128)


async def expected(request: web.Request) -> web.Response | None:
    """Answer an Expect header: send on, or the refusal that aiohttp would give as plain text."""
    if request.headers.get("Expect", "").lower() != "100-continue":
        return _answer(_EXPECTS_TOO_MUCH, HTTPStatus.EXPECTATION_FAILED)
    if request.version == HttpVersion11:
        await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        request.writer.output_size = 0
    return None


class Protocol(Patient):
    """aiohttp's own protocol, but its own refusals are the contract's."""

    __slots__ = ()

    def log_exception(self, *args: object, **kw: object) -> None:
        """Log a fault of ours; a broken body that nobody wanted to read is none."""
        if isinstance(kw.get("exc_info"), _BROKEN):
            log.debug("the rest of a body can't be read")
        else:
            super().log_exception(*args, **kw)

    async def finish_response(
        self, request: web.BaseRequest, resp: web.StreamResponse, start_time: float | None
    ) -> tuple[web.StreamResponse, bool]:
        """Send an answer. Where there is no such route, aiohttp answers an Expect header itself."""
        if isinstance(resp, web.HTTPExpectationFailed):
            resp = _answer(_EXPECTS_TOO_MUCH, HTTPStatus.EXPECTATION_FAILED)
        return await super().finish_response(request, resp, start_time)

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,  # noqa: ARG002  it repeats what came
    ) -> web.StreamResponse:
        """Answer what the application was not asked, or failed to answer; then the end.

        Raises ConnectionError if another answer has begun already, or nobody is there to read one.
        """
        if isinstance(exc, ConnectionError):
            raise exc
        if isinstance(exc, UnicodeEncodeError) and "Expect" in request.headers:
            return _answer(_EXPECTS_TOO_MUCH, HTTPStatus.EXPECTATION_FAILED)
        error = _refusal(status, exc)
        if error.status >= ServerFailure.status:
            log.error("%s failed", request.method, exc_info=exc)
        else:
            log.debug("no valid request: %s", type(exc).__name__)
        if request.writer.output_size > 0:
            raise ConnectionError("an answer has begun already")
        return _answer(error, error.status)


def _answer(error: ApiError, status: int) -> web.Response:
    response = web.json_response(error_body(error), status=status, headers=BARE)
    response.force_close()
    return response


def _refusal(status: int, exc: BaseException | None) -> ApiError:
    if status >= ServerFailure.status:
        return ServerFailure(
            "Something went wrong in the service: try again.",
            code="internal_error",
            details="The service's log says more.",
        )
    return next((error for kind, error in _WHY.items() if isinstance(exc, kind)), _NO_HTTP)
