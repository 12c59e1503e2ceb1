"""Under which address the client reached us, and which ones are ours. Knows requests only."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from urllib.parse import urlsplit

from aiohttp import web

from sidecar.access.callers import caller_of
from sidecar.errors import BadRequest
from sidecar.http.forms import unknown_fields
from sidecar.keys import ACCESS, SETTINGS


def base_url(request: web.Request) -> str:
    """Return what answers' links begin with: the public address, else the request's own."""
    return request.app[SETTINGS].public_url or f"{request.scheme}://{request.host}"


def own_hosts(request: web.Request) -> set[str]:
    """Return the hosts (with ports) that can only mean this service."""
    public = urlsplit(request.app[SETTINGS].public_url).netloc
    return {request.host.lower(), public.lower()} - {""}


def checked_query(request: web.Request, accepted: Collection[str]) -> Mapping[str, str]:
    """Return the query; a typo must not be silently ignored. Raises BadRequest."""
    unknown = [name for name in request.query if name not in accepted]
    if unknown:
        raise unknown_fields(unknown, accepted)
    repeated = [name for name in accepted if len(request.query.getall(name, [])) > 1]
    if repeated:
        wrong = dict.fromkeys(repeated, "given more than once")
        raise BadRequest(f"The field {repeated[0]!r} is given more than once.", fields=wrong)
    return request.query


def tenant(request: web.Request) -> str:
    """Return whose jobs the request is about."""
    return caller_of(request).tenant


def naming(request: web.Request) -> Callable[[str], str]:
    """Return how a picture of the caller's is named by the digest of its bytes."""
    names = request.app[ACCESS].names(caller_of(request))
    return str if names is None else names.name
