"""GET /api/servers: the ComfyUIs that share the work, how they are, and what each can run."""

from __future__ import annotations

from aiohttp import web

from sidecar.http.bodies import ServerList
from sidecar.keys import SERVERS

from .urls import checked_query


async def servers(request: web.Request) -> web.Response:
    """Tell of every server that the operator named, as of the last look at it."""
    checked_query(request, ())
    body: ServerList = {"servers": request.app[SERVERS].describe()}
    return web.json_response(body)
