"""GET /api/jobs, GET /api/jobs/{id} and POST /api/jobs/{id}/cancel."""

from __future__ import annotations

from collections.abc import Mapping

from aiohttp import web

from sidecar.answers import job_view
from sidecar.errors import BadRequest, NotFound
from sidecar.forms import unknown_fields
from sidecar.jobs import Job, WrongCursor
from sidecar.keys import PLACES, STORE
from sidecar.values import JobState

from .urls import base_url, tenant

_FILTERS = ("status", "limit", "cursor")
_STATES = tuple(state.value for state in JobState)
_DEFAULT, _MOST = 20, 100


async def jobs(request: web.Request) -> web.Response:
    """List the newest jobs first; `nextCursor` leads on to older ones."""
    query = _query(request)
    try:
        found, cursor = await request.app[STORE].list(
            tenant=tenant(request),
            status=_states(query.get("status", "")),
            limit=_limit(query.get("limit", "")),
            cursor=query.get("cursor") or None,
        )
    except WrongCursor:
        raise _bad("cursor", "must be the nextCursor of an earlier answer") from None
    base, places = base_url(request), request.app[PLACES]
    views = [job_view(job, await places.of(job), base) for job in found]
    return web.json_response({"jobs": views, "nextCursor": cursor})


async def job(request: web.Request) -> web.Response:
    """Show a job."""
    return await _shown(request, await known_job(request))


async def cancel(request: web.Request) -> web.Response:
    """Ask for a job to be stopped, and show it; asking again changes nothing."""
    found = await known_job(request)
    return await _shown(request, await request.app[STORE].cancel(found.id) or found)


async def known_job(request: web.Request) -> Job:
    """Return the job that the path names, if it is the caller's. Raises NotFound."""
    found = await request.app[STORE].get(request.match_info["id"])
    if found is None or found.spec.tenant != tenant(request):
        raise NotFound(
            "There is no such job.",
            details="Jobs are named by the jobId of an answer of /api/generate.",
            code="unknown_job",
        )
    return found


async def _shown(request: web.Request, found: Job) -> web.Response:
    place = await request.app[PLACES].of(found)
    return web.json_response(job_view(found, place, base_url(request)))


def _query(request: web.Request) -> Mapping[str, str]:
    """Return the filters; a typo must not be silently ignored."""
    unknown = [name for name in request.query if name not in _FILTERS]
    if unknown:
        raise unknown_fields(unknown, _FILTERS)
    return request.query


def _states(text: str) -> list[JobState]:
    names = [name.strip() for name in text.split(",") if name.strip()]
    if any(name not in _STATES for name in names):
        raise _bad("status", f"must be of {', '.join(_STATES)}")
    return [JobState(name) for name in names]


def _limit(text: str) -> int:
    if not text.strip():
        return _DEFAULT
    if not (text.isascii() and text.isdigit() and len(text) < 6 and 1 <= int(text) <= _MOST):
        raise _bad("limit", f"must be a whole number from 1 to {_MOST}")
    return int(text)


def _bad(name: str, reason: str) -> BadRequest:
    return BadRequest(f"{name} {reason}.", fields={name: reason})
