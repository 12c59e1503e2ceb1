"""GET and HEAD /api/files/{name}: stored pictures and videos, with ranges."""

from __future__ import annotations

from aiohttp import web

from sidecar.errors import NotFound
from sidecar.keys import MEDIA
from sidecar.media import content_type

_FOR_EVER = "private, max-age=31536000, immutable"  # a name never gets other bytes


async def file(request: web.Request) -> web.StreamResponse:
    """Answer with the file: ETag, 206 for a range, 304 and 416 are FileResponse's work."""
    name = request.match_info["name"]
    try:
        async with request.app[MEDIA].local(name) as path:
            headers = {"Content-Type": content_type(name), "Cache-Control": _FOR_EVER}
            return web.FileResponse(path, headers=headers)
    except KeyError:
        raise NotFound("There is no such file.") from None
