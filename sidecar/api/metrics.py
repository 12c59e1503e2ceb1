"""GET /metrics: what the service counts, and how it stands, for Prometheus."""

from __future__ import annotations

import asyncio

from aiohttp import web

from sidecar.keys import METRICS, SNAPSHOTS


async def metrics(request: web.Request) -> web.Response:
    """Answer in Prometheus' text form, or as OpenMetrics where that is accepted."""
    snapshot = await request.app[SNAPSHOTS].take()
    accept = request.headers.get("Accept", "")
    body, content_type = await asyncio.to_thread(request.app[METRICS].text, snapshot, accept)
    return web.Response(body=body, headers={"Content-Type": content_type})
