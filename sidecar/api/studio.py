"""GET / for who reads HTML, and /studio/{asset}: the page that makes videos."""

from __future__ import annotations

import asyncio

from aiohttp import web

from sidecar.access.headers import page_headers
from sidecar.errors import NotFound
from sidecar.studio import files

from . import status

_FRESH = {"Cache-Control": "no-cache"}  # to be asked for again; an update shows at once
_VARY = {"Vary": "Accept"}


async def root(request: web.Request) -> web.Response:
    """Show the page to browsers, and the addresses to everybody else."""
    if wants_html(request.headers.get("Accept", "")):
        text = await asyncio.to_thread(files.text)
        headers = {**page_headers(), **_FRESH, **_VARY}
        return web.Response(text=text, content_type="text/html", charset="utf-8", headers=headers)
    response = await status.root(request)
    response.headers.update(_VARY)
    return response


async def asset(request: web.Request) -> web.StreamResponse:
    """Give a file of the page."""
    try:
        path, kind = await asyncio.to_thread(files.asset, request.match_info["asset"])
    except KeyError:
        raise NotFound("There is no such file.", details="The page / names its own.") from None
    return web.FileResponse(path, headers={"Content-Type": kind, **_FRESH})


def wants_html(accept: str) -> bool:
    """Whether an Accept header names HTML, and JSON not before it; `*/*` names neither."""
    wanted = dict(map(_range, accept.lower().split(",")))
    html = wanted.get("text/html", 0.0)
    return html > 0 and html >= wanted.get("application/json", 0.0)


def _range(part: str) -> tuple[str, float]:
    """Return one range of an Accept header and how much it is wanted, 0 to 1."""
    kind, *params = (word.strip() for word in part.split(";"))
    given = next((param[2:] for param in params if param.startswith("q=")), "1")
    try:
        return kind, float(given)
    except ValueError:
        return kind, 0.0
