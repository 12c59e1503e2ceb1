"""GET /api/servers: the ComfyUIs that share the work, how they are, and what each can run."""

from __future__ import annotations

from aiohttp import web

from sidecar.keys import SERVERS


async def servers(request: web.Request) -> web.Response:
    """Tell of every server that the operator named, as of the last look at it."""
    return web.json_response({"servers": request.app[SERVERS].describe()})
