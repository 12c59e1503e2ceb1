"""GET /api/jobs, GET /api/jobs/{id} and POST /api/jobs/{id}/cancel."""

from __future__ import annotations

from aiohttp import web

from sidecar.errors import BadRequest, NotFound
from sidecar.http.answers import asked_view, job_view
from sidecar.http.bodies import JobBody, JobList
from sidecar.jobs import Job, WrongCursor
from sidecar.keys import PLACES, STORE
from sidecar.values import JobState

from .urls import base_url, checked_query, tenant

_FILTERS = ("status", "limit", "cursor")
_STATES = tuple(state.value for state in JobState)
DEFAULT, MOST = 20, 100  # jobs in an answer
_TEXT_LISTED = 1000  # characters of a job's text in a list


async def jobs(request: web.Request) -> web.Response:
    """List the newest jobs first; `nextCursor` leads on to older ones."""
    query = checked_query(request, _FILTERS)
    try:
        found, cursor = await request.app[STORE].list(
            tenant=tenant(request),
            status=_states(query.get("status", "")),
            limit=_limit(query.get("limit", "")),
            cursor=query.get("cursor") or None,
        )
    except WrongCursor:
        raise _bad("cursor", "must be the nextCursor of an earlier answer") from None
    views = [await _view(request, job, _TEXT_LISTED) for job in found]
    body: JobList = {"jobs": views, "nextCursor": cursor}
    return web.json_response(body)


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
    return web.json_response(await _view(request, found))


async def _view(request: web.Request, job: Job, longest: int | None = None) -> JobBody:
    """Return a job with what it was asked for; the text of that is cut after `longest`."""
    base, place = base_url(request), await request.app[PLACES].of(job)
    return {**job_view(job, place, base), "request": asked_view(job, base, longest)}


def _states(text: str) -> list[JobState]:
    names = text.split(",") if text else []
    if any(name not in _STATES for name in names):
        raise _bad("status", f"must be of {', '.join(_STATES)}")
    return [JobState(name) for name in names]


def _limit(text: str) -> int:
    if not text:
        return DEFAULT
    if not (text.isascii() and text.isdigit() and len(text) < 6 and 1 <= int(text) <= MOST):
        raise _bad("limit", f"must be a whole number from 1 to {MOST}")
    return int(text)


def _bad(name: str, reason: str) -> BadRequest:
    return BadRequest(f"{name} {reason}.", fields={name: reason})
