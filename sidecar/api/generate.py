"""POST /api/generate: a picture and a text in, the finished video's URL out."""

from __future__ import annotations

import uuid
from dataclasses import asdict

from aiohttp import web

from sidecar.answers import result
from sidecar.bell import heard
from sidecar.errors import TooManyRequests, Unavailable
from sidecar.forms import read_fields
from sidecar.jobs import Job, JobSpec, QueueFull
from sidecar.keys import BELL, CLOSING, ORDERS, SETTINGS, STORE
from sidecar.values import GenerateRequest

from .urls import base_url, own_hosts

_LOOK_AGAIN_S = 5.0  # in case another process changed the job, whose bell we can't hear


async def generate(request: web.Request) -> web.Response:
    """Make the video and answer when it is there; the job goes on if the client leaves."""
    if request.app[CLOSING].is_set():
        raise _closing()
    fields = await read_fields(request)
    order = await request.app[ORDERS].take(fields, own_hosts(request))
    job = await _submit(request, order)
    return web.json_response(result(await _finished(request, job.id), base_url(request)))


async def _submit(request: web.Request, order: GenerateRequest) -> Job:
    lane = "demo" if order.server is None else "comfyui"
    spec = JobSpec(id=uuid.uuid4().hex, payload=asdict(order), lane=lane)
    try:
        job, _ = await request.app[STORE].submit(spec, max_queued=request.app[SETTINGS].max_queued)
    except QueueFull as error:
        seconds = f"{error.retry_after:.0f}"
        raise TooManyRequests(
            f"Too many videos are waiting: try again in {seconds} s.",
            details="The operator sets by PROMPTREEL_MAX_QUEUED how many may wait.",
            headers={"Retry-After": seconds},
        ) from None
    return job


async def _finished(request: web.Request, job_id: str) -> Job:
    """Wait until the job is over. Raises Unavailable when the service closes before."""
    store, closing = request.app[STORE], request.app[CLOSING]
    with request.app[BELL].listen(job_id) as rung:
        while True:
            job = await store.get(job_id)
            if job is not None and job.state.terminal:
                return job
            if closing.is_set():
                raise _closing(job_id)
            await heard(rung, _LOOK_AGAIN_S)


def _closing(job_id: str = "") -> Unavailable:
    details = f"Job {job_id} goes on when the service is back." if job_id else "No job was made."
    return Unavailable(
        "The service is shutting down: try again soon.",
        code="shutting_down",
        details=details,
        headers={"Retry-After": "5"},
    )
