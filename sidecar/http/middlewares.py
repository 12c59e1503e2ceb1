"""What every request passes through: errors to JSON, who may ask, and who may read the answer.

Knows HTTP headers and the settings. Must not know what the routes do.
"""

from __future__ import annotations

import ipaddress
import logging
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from urllib.parse import urlsplit

from aiohttp import web

from sidecar.access.callers import CALLER, OPEN, UNKNOWN, Caller
from sidecar.access.headers import secure
from sidecar.access.storage import check_storage
from sidecar.disk import trouble
from sidecar.errors import ApiError, BadRequest, Forbidden, NotFound, ServerFailure
from sidecar.fingerprint import HEADER as IDEMPOTENCY
from sidecar.fingerprint import read_key
from sidecar.keys import ACCESS, MEDIA, SETTINGS, STORE
from sidecar.settings import Settings, is_loopback

from .answers import error_body
from .slow import TooSlow

log = logging.getLogger(__name__)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_ROUTES = "GET / tells the addresses."
_UNFORESEEN = ServerFailure(
    "Something went wrong in the service: try again.",
    code="internal_error",
    details="The service's log says more.",
)
_STORING = ("/api/upload", "/api/generate")
_CORS = {
    "Access-Control-Allow-Methods": "GET, HEAD, POST, OPTIONS",
    "Access-Control-Allow-Headers": (
        "Authorization, Content-Type, Idempotency-Key, Last-Event-ID, Prefer, Range, "
        "X-Request-Id, traceparent"
    ),
    "Access-Control-Expose-Headers": (
        "Accept-Ranges, Content-Length, Content-Range, ETag, Idempotency-Replayed, Location, "
        "Preference-Applied, Retry-After, X-Request-Id"
    ),
    "Access-Control-Max-Age": "600",
}


@web.middleware
async def errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer every failure with the contract's body; the log gets the traceback."""
    try:
        return await handler(request)
    except ApiError as error:
        return _closed_if_broken(request, _answer(error, error.status))
    except web.HTTPException as error:
        if error.status < HTTPStatus.BAD_REQUEST:
            raise
        return _closed_if_broken(request, _answer_http(error))
    except ConnectionResetError:
        raise  # nobody is there to read an answer
    except Exception as error:  # an edge: nothing unforeseen may reach a client as it is
        failure = _disk_failure(request, error)
        if failure is None:
            log.exception("%s %s failed", request.method, request.path)
            failure = _UNFORESEEN
        return _closed_if_broken(request, _answer(failure, failure.status))


def _disk_failure(request: web.Request, error: Exception) -> ServerFailure | None:
    """Name a disk's fault, which is no fault of the program: the log needs no traceback."""
    found = trouble(error)
    if found is None:
        return None
    log.error("%s %s: %s (%s)", request.method, request.path, found.error, error)
    return ServerFailure(found.error, code=found.code, details=found.details)


def _closed_if_broken(request: web.Request, response: web.Response) -> web.Response:
    """Read no more of a body that could not be read; aiohttp would try, and log its failure."""
    broken = request.content.exception()
    if broken is None:
        return response
    if isinstance(broken, TooSlow):
        response = _answer(broken.answer(), HTTPStatus.BAD_REQUEST)
    request.content.feed_eof()
    response.force_close()
    return response


def _answer(error: ApiError, status: int) -> web.Response:
    return web.json_response(error_body(error), status=status, headers=error.headers)


def _answer_http(error: web.HTTPException) -> web.Response:
    """Turn a refusal of aiohttp's own into ours."""
    if error.status == HTTPStatus.NOT_FOUND:
        return _answer(NotFound("There is nothing at this address.", details=_ROUTES), error.status)
    if isinstance(error, web.HTTPMethodNotAllowed):
        allowed = ", ".join(sorted(error.allowed_methods))
        headers = {"Allow": allowed}
        said = f"{error.method} is not understood at this address. {_ROUTES}"
        code = "method_not_allowed"
        wrong = ApiError(f"Use {allowed} here.", details=said, code=code, headers=headers)
        return _answer(wrong, error.status)
    if error.status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        said = "A picture goes to /api/upload; a text has 200000 characters at most."
        large = BadRequest("The body is too large.", details=said, code="body_too_large")
        return _answer(large, large.status)
    code = "invalid_request" if error.status < HTTPStatus.INTERNAL_SERVER_ERROR else None
    return _answer(ApiError(f"{error.reason}.", details=error.text or "", code=code), error.status)


@web.middleware
async def belonging(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuse hosts and origins that do not belong here; answer preflights of those listed."""
    settings = request.app[SETTINGS]
    _check_host(request, settings, locked=request.app[ACCESS].locked)
    origin = request.headers.get("Origin")
    if origin is not None and not _is_own_origin(origin, request, settings):
        if origin.lower() not in settings.cors_origins:
            raise Forbidden(
                "Pages of this origin may not call this service: list it in "
                "PROMPTREEL_CORS_ORIGINS.",
                details="The Origin header names neither this address nor a listed one.",
                code="origin_not_allowed",
            )
        if request.method == "OPTIONS":
            return web.Response(status=204)
    return await handler(request)


@web.middleware
async def authorized(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Ask for an API key, where there are some; files have names that nobody can guess."""
    if _is_open(request):
        request[CALLER] = UNKNOWN
        return await handler(request)
    access = request.app[ACCESS]
    caller = request[CALLER] = await access.caller(request.headers.get("Authorization", ""))
    access.admit(caller)
    if request.method == "POST" and _address(request) in _STORING:
        await _check_storage(request, caller)
    return await handler(request)


async def _check_storage(request: web.Request, caller: Caller) -> None:
    """Refuse what would store more than the key may; not a request that was served before."""
    repeated, store = read_key(request.headers.getall(IDEMPOTENCY, [])), request.app[STORE]
    if repeated is not None and await store.find(caller.tenant, repeated) is not None:
        return
    await check_storage(caller, request.app[ACCESS].names(caller), request.app[MEDIA], store)


async def add_headers(request: web.Request, response: web.StreamResponse) -> None:
    """Mark every answer: what browsers may do with it, and that listed origins may read it."""
    settings = request.app[SETTINGS]
    secure(request, response.headers, shared=bool(settings.cors_origins))
    if settings.cors_origins:
        response.headers.setdefault("Vary", "Origin")
    origin = request.headers.get("Origin", "")
    if origin.lower() in settings.cors_origins:
        response.headers["Access-Control-Allow-Origin"] = origin
        response.headers.update(_CORS)


def _check_host(request: web.Request, settings: Settings, *, locked: bool) -> None:
    """Refuse a name that somebody else made point here (DNS rebinding).

    Beyond loopback with a key, the key does that work: no page of another site has it.
    """
    host = request.headers.get("Host", "")
    if not host:
        raise BadRequest("Send a Host header.", details="HTTP/1.1 asks for one.")
    name = _hostname(host)
    if name and locked and not settings.loopback:
        return
    if not _is_literal(name) and not is_loopback(name) and name not in _own_names(settings):
        raise Forbidden(
            "This host name does not belong to the service: list it in PROMPTREEL_ALLOWED_HOSTS.",
            details="A name that somebody else points here could read the answers (DNS rebinding).",
            code="host_not_allowed",
        )


def _own_names(settings: Settings) -> set[str]:
    public = urlsplit(settings.public_url).hostname or ""
    named = {settings.host, public, *settings.allowed_hosts}
    return {name.lower() for name in named if name}


def _hostname(host: str) -> str:
    """Return the name in a Host header; blank if it holds anything but a name and a port.

    Links in answers begin with it, and nobody may make them lead elsewhere ("127.0.0.1@evil").
    """
    try:
        parts = urlsplit(f"//{host}")
        whole = parts.netloc == host and parts.username is None and parts.port != 0
    except ValueError:
        return ""
    return (parts.hostname or "").rstrip(".") if whole else ""


def _is_literal(name: str) -> bool:
    """Whether a host is a literal address: no name, so nobody can make it point elsewhere."""
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _is_own_origin(origin: str, request: web.Request, settings: Settings) -> bool:
    """Whether a page came from here: the host it was asked of, or the public address's."""
    asked = origin.lower().partition("://")[2]
    public = urlsplit(settings.public_url).netloc
    return asked in {request.headers.get("Host", "").lower(), public.lower()} - {""}


def _is_open(request: web.Request) -> bool:
    return request.method in ("GET", "HEAD") and _address(request) in OPEN


def _address(request: web.Request) -> str:
    """Return the route's own address, "/api/jobs/{id}", whatever the path looks like."""
    resource = request.match_info.route.resource
    return "" if resource is None else resource.canonical
