"""POST /api/generate: a picture and a text in; the finished video's URL out, or the job."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import asdict

from aiohttp import web

from sidecar.access.callers import caller_of
from sidecar.bus import Hint
from sidecar.errors import ServerFailure, TooManyRequests, Unavailable
from sidecar.fingerprint import HEADER, asked_hash, conflict, read_key, request_hash
from sidecar.http.answers import job_path, job_view, result
from sidecar.http.forms import read_fields
from sidecar.http.prefer import Preference, parse_prefer
from sidecar.jobs import IdempotencyConflict, Job, JobSpec, QueueFull
from sidecar.keys import (
    BUS,
    CATALOG,
    CLOSING,
    DRAINING,
    HEAVY,
    METRICS,
    ORDERS,
    PLACES,
    SETTINGS,
    STORE,
)
from sidecar.observe.context import REQUEST_ID
from sidecar.observe.requests import TRACE
from sidecar.orders import TEXTS, known_fields

from .urls import base_url, naming, own_hosts, tenant

_LOOK_AGAIN_S = 5.0  # in case another process changed the job, whose hints we can't hear


async def generate(request: web.Request) -> web.Response:
    """Make the video and answer when it is there; the job goes on if the client leaves.

    By Prefer the answer may be the job instead (202), at once or after a while; at once it is
    always the job, however it stands.
    """
    if request.app[DRAINING].is_set() or request.app[CLOSING].is_set():
        raise closing()
    prefer = parse_prefer(request.headers.getall("Prefer", []))
    key = read_key(request.headers.getall(HEADER, []))
    with request.app[HEAVY].place(request.content_length if request.body_exists else 0):
        job, replayed = await _take(request, key)
    headers = {"Vary": "Prefer", **({"Idempotency-Replayed": "true"} if replayed else {})}
    if prefer.applied:
        headers["Preference-Applied"] = prefer.applied
    return await _answer(request, job, prefer, headers)


async def _take(request: web.Request, key: str | None) -> tuple[Job, bool]:
    """Return the job, and whether it was there before; the form, which may be large, goes here."""
    fields = await read_fields(request, TEXTS, known_fields(request.app[CATALOG].pipelines))
    if key is None:
        return await _submit(request, fields, None, "")
    asked = await asyncio.to_thread(asked_hash, fields)
    job = await _repeated(request, key, asked)
    return (job, True) if job is not None else await _submit(request, fields, key, asked)


async def _repeated(request: web.Request, key: str, asked: str) -> Job | None:
    """Return the job of a request sent again word by word: nothing needs to be looked at twice."""
    job = await request.app[STORE].find(tenant(request), key)
    return job if job is not None and job.spec.asked_hash == asked else None


async def _submit(
    request: web.Request, fields: Mapping[str, str], key: str | None, asked: str
) -> tuple[Job, bool]:
    """Return the new job, or the one that the same key and request gave; True for that."""
    order, webhook = await request.app[ORDERS].take(
        fields, own_hosts(request), base_url(request), naming(request)
    )
    spec = JobSpec(
        id=uuid.uuid4().hex,
        payload=asdict(order),
        tenant=tenant(request),
        lane="demo" if order.server is None else "comfyui",
        route=order.route,
        idempotency_key=key,
        request_hash="" if key is None else request_hash(order, fields),
        asked_hash=asked,
        webhook=webhook,
        request_id=REQUEST_ID.get(),
        trace=request.get(TRACE, ""),
    )
    try:
        job, new = await request.app[STORE].submit(
            spec,
            max_queued=request.app[SETTINGS].max_queued,
            max_own=caller_of(request).allowance.max_queued or None,
        )
    except QueueFull as error:
        raise _full(error) from None
    except IdempotencyConflict:
        raise conflict() from None
    if new:
        request.app[METRICS].submitted(job)
    return job, not new


async def _answer(
    request: web.Request, job: Job, prefer: Preference, headers: Mapping[str, str]
) -> web.Response:
    """Wait as long as the client wants; give the result, or the job if it is not over then."""
    base = base_url(request)
    shown = job
    if prefer.seconds != 0:
        over = await _finished(request, job, prefer.seconds)
        if over is not None:
            return web.json_response(result(over, base), headers=headers)
        shown = await request.app[STORE].get(job.id) or job
    location = {"Location": job_path(base, job.id)}
    view = job_view(shown, await request.app[PLACES].of(shown), base)
    return web.json_response(view, status=202, headers={**headers, **location})


async def _finished(request: web.Request, started: Job, seconds: float | None) -> Job | None:
    """Wait until the job is over; None if it is not in time. Raises Unavailable at the end.

    `started`: as the store has just told it, with no pause since.
    """
    store, closes = request.app[STORE], request.app[CLOSING]
    clock = asyncio.get_running_loop().time
    deadline = None if seconds is None else clock() + seconds
    async with request.app[BUS].listen(started.id) as listener:
        job: Job | None = started
        while True:
            if job is None:
                raise ServerFailure("The job was deleted.", details=f"Job {started.id}.")
            if job.state.terminal:
                return job
            if closes.is_set():
                raise closing(started.id)
            left = _LOOK_AGAIN_S if deadline is None else min(_LOOK_AGAIN_S, deadline - clock())
            if left <= 0:
                return None
            job = _told(await listener.heard(left)) or await store.get(started.id)


def _told(hints: Sequence[Hint]) -> Job | None:
    """Return the job as the last hint holds it; None if the store must be asked."""
    last = hints[-1].data if hints else None
    return last if isinstance(last, Job) else None


def _full(error: QueueFull) -> TooManyRequests:
    seconds = f"{error.retry_after:.0f}"
    if error.own:
        return TooManyRequests(
            f"Too many of your videos are waiting: try again in {seconds} s.",
            code="key_queue_full",
            details="The operator set for this key how many may wait.",
            headers={"Retry-After": seconds},
        )
    return TooManyRequests(
        f"Too many videos are waiting: try again in {seconds} s.",
        details="The operator sets by PROMPTREEL_MAX_QUEUED how many may wait.",
        headers={"Retry-After": seconds},
    )


def closing(job_id: str = "") -> Unavailable:
    """Return the answer while the service shuts down."""
    details = f"Job {job_id} goes on when the service is back." if job_id else "No job was made."
    return Unavailable(
        "The service is shutting down: try again soon.",
        code="shutting_down",
        details=details,
        headers={"Retry-After": "5"},
    )
