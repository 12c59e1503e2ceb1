"""Under which address the client reached us, and which ones are ours. Knows requests only."""

from __future__ import annotations

from urllib.parse import urlsplit

from aiohttp import web

from sidecar.keys import SETTINGS


def base_url(request: web.Request) -> str:
    """Return what answers' links begin with: the public address, else the request's own."""
    return request.app[SETTINGS].public_url or f"{request.scheme}://{request.host}"


def own_hosts(request: web.Request) -> set[str]:
    """Return the hosts (with ports) that can only mean this service."""
    public = urlsplit(request.app[SETTINGS].public_url).netloc
    return {request.host.lower(), public.lower()} - {""}


def tenant(request: web.Request) -> str:
    """Return whose jobs the request is about; there is one tenant as long as there is one key."""
    return request.get("tenant", "")
