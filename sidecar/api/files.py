"""GET and HEAD /api/files/{name}: stored pictures and videos, with ranges."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path

from aiohttp import web
from aiohttp.abc import AbstractStreamWriter

from sidecar.errors import NotFound
from sidecar.keys import MEDIA
from sidecar.media import content_type

from .ranges import wants_all

_NAMES = "Files are named by the answers of /api/upload and /api/generate."
_FOR_EVER = "private, max-age=31536000, immutable"  # a name never gets other bytes


async def file(request: web.Request) -> web.StreamResponse:
    """Answer with the file: ETag, 206 for a range and 304 are FileResponse's work."""
    name = request.match_info["name"]
    try:
        async with request.app[MEDIA].local(name) as path:
            whole = wants_all(request, await asyncio.to_thread(path.stat))
            headers = {"Content-Type": content_type(name), "Cache-Control": _FOR_EVER}
            return _Held(path, request.app[MEDIA].hold(name), headers, whole=whole)
    except KeyError:
        raise NotFound("There is no such file.", details=_NAMES) from None


class _Held(web.FileResponse):
    """A file that house-keeping spares while it is sent. `whole`: whatever range is asked for."""

    def __init__(
        self,
        path: Path,
        held: AbstractContextManager[None],
        headers: Mapping[str, str],
        *,
        whole: bool,
    ) -> None:
        super().__init__(path, headers=headers)
        self._held = held
        self._whole = whole

    async def prepare(self, request: web.BaseRequest) -> AbstractStreamWriter | None:
        """Send the file."""
        if self._whole and "Range" in request.headers:
            request = request.clone(headers=_without_range(request))
        with self._held:
            try:
                return await super().prepare(request)
            except TimeoutError:  # the system gave the client up: it reads nothing
                raise ConnectionResetError("the client reads nothing") from None


def _without_range(request: web.BaseRequest) -> list[tuple[str, str]]:
    return [(name, value) for name, value in request.headers.items() if name.lower() != "range"]
