"""GET /api/jobs/{id} and POST /api/jobs/{id}/cancel."""

from __future__ import annotations

from aiohttp import web

from sidecar.answers import job_view
from sidecar.errors import NotFound
from sidecar.jobs import Job
from sidecar.keys import STORE

from .urls import base_url


async def job(request: web.Request) -> web.Response:
    """Show a job."""
    return await _shown(request, await request.app[STORE].get(request.match_info["id"]))


async def cancel(request: web.Request) -> web.Response:
    """Ask for a job to be stopped, and show it; asking again changes nothing."""
    return await _shown(request, await request.app[STORE].cancel(request.match_info["id"]))


async def _shown(request: web.Request, found: Job | None) -> web.Response:
    if found is None:
        raise NotFound(
            "There is no such job.",
            details="Jobs are named by the jobId of an answer of /api/generate.",
            code="unknown_job",
        )
    position = await request.app[STORE].position(found.id)
    return web.json_response(job_view(found, position, base_url(request)))
