"""The outermost middleware: an id, a span, a count and a line in the log for every request.

The line holds the route's template, not the path; no query, no key, nothing a user wrote. Knows
requests. Must not know what routes do.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Awaitable, Callable

from aiohttp import web
from aiohttp.typedefs import Middleware

from sidecar.access.callers import CALLER

from .context import HEADER, about, request_id
from .meter import Answered, Meter
from .tracing import RequestSpan, Tracing

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

log = logging.getLogger("sidecar.access")

NO_ROUTE = "(none)"
TRACE = web.RequestKey("traceparent", str)  # of a request's span, for the job
_ID = web.RequestKey("request_id", str)
_OFTEN = ("/api/health", "/api/ready", "/metrics")  # asked every few seconds by machines
_LEFT = 499  # the client had left before the answer


def observing(meter: Callable[[], Meter], tracing: Tracing) -> Middleware:
    """Return the middleware."""

    @web.middleware
    async def observed(request: web.Request, handler: Handler) -> web.StreamResponse:
        route, started = _route(request), time.perf_counter()
        own_id = request[_ID] = request_id(request.headers.get(HEADER, ""))
        with about(own_id), tracing.request(request.method, route, request.headers, own_id) as span:
            request[TRACE] = span.traceparent
            status = _LEFT
            try:
                response = await handler(request)
                status = response.status
                if response.content_length is None:  # it was sent in pieces
                    meter().sent(route, response.body_length)
            except web.HTTPException as error:
                status = error.status
                raise
            finally:
                one = Answered(
                    request.method,
                    route,
                    status,
                    time.perf_counter() - started,
                    request.content.total_bytes,
                )
                _tell(request, one, meter(), span)
        return response

    return observed


def preparing(meter: Callable[[], Meter]) -> Callable[..., Awaitable[None]]:
    """Return what is done when an answer's head is sent: only then a file's length is known."""

    async def prepare(request: web.Request, response: web.StreamResponse) -> None:
        if _ID in request:
            response.headers.setdefault(HEADER, request[_ID])
            if request.method != "HEAD":
                meter().sent(_route(request), response.content_length or 0)

    return prepare


def _tell(request: web.Request, one: Answered, meter: Meter, span: RequestSpan) -> None:
    meter.answered(one)
    span.answered(one.status)
    often = one.route in _OFTEN and one.status < 400
    log.log(
        logging.DEBUG if often else logging.INFO,
        "%s %s %d in %.1f ms",
        one.method,
        one.route,
        one.status,
        one.seconds * 1000,
        extra={
            "method": one.method,
            "route": one.route,
            "status": one.status,
            "ms": round(one.seconds * 1000, 1),
            "key": _key(request),
        },
    )


def _route(request: web.Request) -> str:
    resource = request.match_info.route.resource
    return NO_ROUTE if resource is None else resource.canonical


def _key(request: web.Request) -> str:
    caller = request.get(CALLER)
    return "" if caller is None else caller.name
