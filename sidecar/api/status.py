"""GET /, /api/health, /api/ready and /api/pipelines: what the service is and can do."""

from __future__ import annotations

import asyncio

from aiohttp import web

from sidecar.disk import look
from sidecar.errors import ApiError, Unavailable
from sidecar.http.bodies import Health, Ready, Welcome
from sidecar.keys import (
    CATALOG,
    CLOSING,
    DRAINING,
    PICTURES,
    SERVERS,
    SETTINGS,
    STORE,
    STREAMS,
    VERSION,
)

from .urls import base_url, checked_query

_SPARE = 10  # one in so many places is kept for those who come without asking whether there is one


async def root(request: web.Request) -> web.Response:
    """Say what this is and where to go."""
    base = base_url(request)
    body: Welcome = {
        "name": "PromptReel",
        "description": "A picture and a sentence become a video.",
        "version": request.app[VERSION],
        "upload": f"{base}/api/upload",
        "generate": f"{base}/api/generate",
        "pipelines": f"{base}/api/pipelines",
        "health": f"{base}/api/health",
        "docs": f"{base}/docs",
    }
    return web.json_response(body)


async def health(request: web.Request) -> web.Response:
    """Say that the service is alive."""
    body: Health = {"status": "ok", "version": request.app[VERSION]}
    return web.json_response(body)


async def ready(request: web.Request) -> web.Response:
    """Say whether a video could be made now, by what; 503 and the reason if not."""
    if request.app[DRAINING].is_set() or request.app[CLOSING].is_set():
        raise Unavailable(
            "The service is shutting down.", details="Try again soon.", code="shutting_down"
        )
    servers = request.app[SERVERS]
    try:
        server = await servers.choose(None)
    except ApiError as error:
        raise Unavailable(error.error, code=error.code, details=error.details) from None
    situation = await servers.situation()
    if server is not None and not await servers.answers(server):
        raise Unavailable("ComfyUI does not answer.", code="comfyui_unreachable", details=situation)
    await _check_room(request, "demo" if server is None else "comfyui")
    await _check_disk(request)
    body: Ready = {"status": "ready", "isDemo": server is None, "details": situation}
    return web.json_response(body)


async def _check_room(request: web.Request, lane: str) -> None:
    """Say no while there is still some room, so that who asks first need not be refused."""
    queued, most = await request.app[STORE].queued(lane), request.app[SETTINGS].max_queued
    if _nearly(queued, most):
        raise Unavailable(
            "Too many videos are waiting.", code="queue_full", details=f"{queued} of {most} wait."
        )
    streams = request.app[STREAMS]
    if _nearly(streams.open, streams.most):
        raise Unavailable(
            "Too many clients follow jobs.",
            code="too_many_streams",
            details=f"{streams.open} of {streams.most} do.",
        )
    pictures = request.app[PICTURES]
    if pictures.most is not None and _nearly(pictures.under_way, pictures.most):
        raise Unavailable(
            "Too many pictures are being received.",
            code="too_many_uploads",
            details=f"{pictures.under_way} of {pictures.most} are.",
        )


def _nearly(taken: int, most: int) -> bool:
    """Tell whether so many places are taken that the next to come may find none."""
    return taken >= most - most // _SPARE


async def _check_disk(request: web.Request) -> None:
    wrong = await asyncio.to_thread(look, request.app[SETTINGS].data_dir)
    if wrong is not None:
        raise Unavailable(wrong.error, code=wrong.code, details=wrong.details)


async def pipelines(request: web.Request) -> web.Response:
    """List the pipelines, and what each lacks on the chosen ComfyUI."""
    query = checked_query(request, ("serverUrl",))
    server = await request.app[SERVERS].choose(query.get("serverUrl"))
    return web.json_response(await request.app[CATALOG].listing(server))
