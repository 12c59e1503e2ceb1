"""GET /api/jobs/{id}/events: a job's life as server-sent events, until it is over.

A client that reads slowly misses previews and steps, never a state or the result; one that does not
read at all is left after a while.
"""

from __future__ import annotations

import asyncio
import logging

from aiohttp import web

from sidecar.bus import PREVIEW, Hint, Listener, Preview
from sidecar.http.streams import BEGIN, HEADERS, HEARTBEAT, Story, read_id, told_all
from sidecar.jobs import Job
from sidecar.keys import BUS, CLOSING, PLACES, STORE, STREAMS
from sidecar.values import JobState

from .generate import closing
from .jobs import known_job
from .urls import base_url

log = logging.getLogger(__name__)


async def events(request: web.Request) -> web.StreamResponse:
    """Tell what happens to a job; 204 where the client has heard the end (it asks no more then)."""
    if request.app[CLOSING].is_set():
        raise closing()
    job = await known_job(request)
    after = read_id(request.headers.get("Last-Event-ID", ""))
    if told_all(job, after):
        return web.Response(status=204)
    with request.app[STREAMS].place():
        response = web.StreamResponse(headers=HEADERS)
        await response.prepare(request)
        story = Story(base_url(request), after)
        try:
            async with request.app[BUS].listen(job.id) as listener:
                await _Stream(request, response, story, listener).follow(job.id)
        except (asyncio.TimeoutError, ConnectionResetError):
            log.debug("job %s: a client that follows it has left", job.id)
            _cut(request)
        except Exception:  # an edge: the answer has begun, so there can be no other one
            log.exception("the events of job %s broke off", job.id)
            _cut(request)
        return response


def _cut(request: web.Request) -> None:
    """End the connection at once: the client is to come back for the rest."""
    if request.transport is not None:
        request.transport.abort()


class _Stream:
    """One client's stream."""

    def __init__(
        self,
        request: web.Request,
        response: web.StreamResponse,
        story: Story,
        listener: Listener,
    ) -> None:
        self._request = request
        self._response = response
        self._story = story
        self._listener = listener
        self._store = request.app[STORE]
        self._places = request.app[PLACES]
        self._pace = request.app[STREAMS].pace
        self._clock = asyncio.get_running_loop().time
        self._wrote = self._looked = 0.0
        self._preview: Preview | None = None
        self._next_preview = 0.0

    async def follow(self, job_id: str) -> None:
        """Send until the job, the client or the service ends."""
        await self._write(BEGIN)
        job = await self._look(job_id)
        while job is not None and not job.state.terminal and not self._is_over():
            hints = await self._listener.heard(self._patience())
            for hint in hints:
                job = await self._heard(hint) or job
            if not job.state.terminal:
                await self._send_preview()
                if self._looks_due(job):
                    job = await self._look(job_id)
                if self._clock() - self._wrote >= self._pace.heartbeat_s:
                    await self._write(HEARTBEAT)

    def _is_over(self) -> bool:
        transport = self._request.transport
        gone = transport is None or transport.is_closing()
        return gone or self._request.app[CLOSING].is_set()

    def _patience(self) -> float:
        beat = self._wrote + self._pace.heartbeat_s - self._clock()
        waits = [self._pace.tick_s, beat]
        if self._preview is not None:
            waits.append(self._next_preview - self._clock())
        return max(0.001, min(waits))

    def _looks_due(self, job: Job) -> bool:
        queued = job.state is JobState.QUEUED
        often = self._pace.place_s if queued else self._pace.look_s
        return self._clock() - self._looked >= often

    async def _look(self, job_id: str) -> Job | None:
        """Tell how the job is by the store, which is the truth."""
        job = await self._store.get(job_id)
        if job is not None:
            await self._tell(job)
        return job

    async def _heard(self, hint: Hint) -> Job | None:
        if hint.kind == PREVIEW and isinstance(hint.data, Preview):
            self._preview = hint.data
        if not isinstance(hint.data, Job):
            return None
        await self._tell(hint.data)
        return hint.data

    async def _tell(self, job: Job) -> None:
        self._looked = self._clock()
        place = await self._places.of(job, self._pace.place_s / 2)
        await self._write(self._story.take(job, place))

    async def _send_preview(self) -> None:
        """Send the latest picture, if it is time for one."""
        if self._preview is not None and self._clock() >= self._next_preview:
            preview, self._preview = self._preview, None
            self._next_preview = self._clock() + self._pace.preview_s
            await self._write(self._story.preview(preview))

    async def _write(self, data: bytes) -> None:
        """Write; who takes nothing for a while is given up. Raises TimeoutError."""
        if data:
            self._wrote = self._clock()
            await asyncio.wait_for(self._response.write(data), self._pace.write_s)
