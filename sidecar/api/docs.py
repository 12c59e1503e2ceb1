"""GET /api/openapi.json, /docs and /docs/{asset}: the API described, and a page to try it."""

from __future__ import annotations

import asyncio
from pathlib import Path

from aiohttp import web

from sidecar.access.headers import page_headers
from sidecar.errors import NotFound
from sidecar.keys import ACCESS, CATALOG, DESCRIBED, VERSION

from .urls import base_url

_FRESH = {"Cache-Control": "no-cache"}  # to be asked for again; an update shows at once


async def openapi(request: web.Request) -> web.Response:
    """Describe the API as this service has it: its pipelines, its limits, its address."""
    document = await request.app[DESCRIBED].document(
        request.app[CATALOG].pipelines,
        request.app[VERSION],
        base_url(request),
        locked=request.app[ACCESS].locked,
    )
    return web.json_response(document, headers=_FRESH)


async def docs(_: web.Request) -> web.Response:
    """Show the page; all that it needs is here."""
    text = await asyncio.to_thread(_text)
    headers = {**page_headers(inline_styles=True), **_FRESH}
    return web.Response(text=text, content_type="text/html", charset="utf-8", headers=headers)


async def asset(request: web.Request) -> web.StreamResponse:
    """Give a file of the page."""
    try:
        path, kind = await asyncio.to_thread(_asset, request.match_info["asset"])
    except KeyError:
        raise NotFound("There is no such file.", details="The page /docs names its own.") from None
    return web.FileResponse(path, headers={"Content-Type": kind, **_FRESH})


def _text() -> str:
    from sidecar.openapi import page  # noqa: PLC0415  reads its package's folder: not at the start

    return page.text()


def _asset(name: str) -> tuple[Path, str]:
    from sidecar.openapi import page  # noqa: PLC0415

    return page.asset(name)
