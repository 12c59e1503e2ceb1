"""GET and HEAD /api/files/{name}: stored pictures and videos, with ranges."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path

from aiohttp import web
from aiohttp.abc import AbstractStreamWriter

from sidecar.errors import NotFound, RangeNotSatisfiable
from sidecar.keys import MEDIA
from sidecar.media import content_type

_NAMES = "Files are named by the answers of /api/upload and /api/generate."
_FOR_EVER = "private, max-age=31536000, immutable"  # a name never gets other bytes


async def file(request: web.Request) -> web.StreamResponse:
    """Answer with the file: ETag, 206 for a range and 304 are FileResponse's work."""
    name = request.match_info["name"]
    try:
        async with request.app[MEDIA].local(name) as path:
            if "Range" in request.headers and "If-Range" not in request.headers:
                await _check_range(request, path)
            headers = {"Content-Type": content_type(name), "Cache-Control": _FOR_EVER}
            return _Held(path, request.app[MEDIA].hold(name), headers)
    except KeyError:
        raise NotFound("There is no such file.", details=_NAMES) from None


class _Held(web.FileResponse):
    """A file that house-keeping spares while it is sent."""

    def __init__(
        self, path: Path, held: AbstractContextManager[None], headers: Mapping[str, str]
    ) -> None:
        super().__init__(path, headers=headers)
        self._held = held

    async def prepare(self, request: web.BaseRequest) -> AbstractStreamWriter | None:
        """Send the file."""
        with self._held:
            return await super().prepare(request)


async def _check_range(request: web.Request, path: Path) -> None:
    """Refuse what FileResponse would refuse without a word."""
    size = (await asyncio.to_thread(path.stat)).st_size
    try:
        start = request.http_range.start
    except ValueError:
        start = size
    if start is not None and start >= size:
        raise RangeNotSatisfiable(
            "The file has no such part: ask for a range like 'bytes=0-1023'.",
            details=f"It has {size} bytes.",
            headers={"Content-Range": f"bytes */{size}"},
        )
