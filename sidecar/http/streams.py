"""A job's life as server-sent events: which ones, in what order, with which ids, in what bytes.

Each id holds the job's version and the event's place among those of one version, so that who comes
back with the last one gets what follows, and all else anew from the job as it is. How many streams
there are is counted here too. Must not know requests, or how jobs are kept.
"""

from __future__ import annotations

import json
import re
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sidecar.bus import Preview
from sidecar.errors import Unavailable
from sidecar.jobs import Job
from sidecar.values import JobState, Progress

from .answers import job_view, progress_view

Mark = tuple[int, int]  # a job's version, and the place of an event in it
_STATUS, _PROGRESS, _PREVIEW, _RESULT = range(4)
BEGIN = b"retry: 3000\n\n"
HEARTBEAT = b": still here\n\n"
HEADERS = {
    "Content-Type": "text/event-stream; charset=utf-8",
    "Cache-Control": "no-cache, no-transform",
    "X-Accel-Buffering": "no",  # a proxy that waited for the end would show nothing before it
}


@dataclass(frozen=True)
class StreamPace:
    """Seconds: of silence before a heartbeat, between looks, between previews, for one write."""

    heartbeat_s: float = 15.0
    tick_s: float = 1.0
    look_s: float = 5.0  # at the store, in case another process changed the job
    place_s: float = 2.0  # at the place in the queue
    preview_s: float = 0.5
    write_s: float = 30.0


class Streams:
    """The streams that are open, of which there are `most` at once."""

    def __init__(self, most: int, pace: StreamPace | None = None) -> None:
        self.most = most
        self.pace = pace or StreamPace()
        self.open = 0

    @contextmanager
    def place(self) -> Generator[None, None, None]:
        """Take a place for the time of the block. Raises Unavailable."""
        if self.open >= self.most:
            raise Unavailable(
                "Too many clients follow jobs: try again in 5 s, or ask for the job itself.",
                code="too_many_streams",
                details="The operator sets by PROMPTREEL_MAX_EVENT_CLIENTS how many may.",
                headers={"Retry-After": "5"},
            )
        self.open += 1
        try:
            yield
        finally:
            self.open -= 1


class Story:
    """What one client has been told of one job, and what comes next."""

    def __init__(self, base: str, after: Mark | None = None) -> None:
        self._base = base
        self._after: Mark = after or (0, 0)
        self._version = 0
        self._state: JobState | None = None
        self._place: int | None = None
        self._progress: Progress | None = None
        self._previews = 0

    def take(self, job: Job, place: int | None) -> bytes:
        """Return the events that this state of the job adds; none if it is older than the last."""
        if job.version < self._version:
            return b""
        return b"".join(self._news(job, place))

    def _news(self, job: Job, place: int | None) -> Iterator[bytes]:
        self._version = job.version
        changed = (job.state, place) != (self._state, self._place)
        was, self._state, self._place = self._state, job.state, place
        view = job_view(job, place, self._base)
        if changed and (job.state is JobState.QUEUED or self._is_new(job, _STATUS)):
            yield _event("status", f"{job.version}.{_STATUS}", json.dumps(view))
        if job.progress != self._progress:
            self._progress = job.progress
            if self._is_new(job, _PROGRESS):
                text = json.dumps(progress_view(job.progress))
                yield _event("progress", f"{job.version}.{_PROGRESS}", text)
        if job.state.terminal and was is not job.state and self._is_new(job, _RESULT):
            yield _event("result", f"{job.version}.{_RESULT}", json.dumps(view))

    def preview(self, preview: Preview) -> bytes:
        """Return a picture's event."""
        self._previews += 1
        return _event("preview", f"{self._version}.{_PREVIEW}.{self._previews}", preview.text)

    def _is_new(self, job: Job, part: int) -> bool:
        return (job.version, part) > self._after


def told_all(job: Job, after: Mark | None) -> bool:
    """Whether who heard of `after` knows the job's end: there is nothing to come back for."""
    return job.state.terminal and after is not None and after >= (job.version, _RESULT)


def read_id(text: str) -> Mark | None:
    """Return what a Last-Event-ID means; None for anything that is not one of ours."""
    match = re.fullmatch(r"([0-9]{1,15})\.([0-3])(?:\.[0-9]{1,15})?", text.strip())
    return None if match is None else (int(match[1]), int(match[2]))


def _event(name: str, mark: str, text: str) -> bytes:
    """Return an event's bytes; `text` is JSON, so it has no line breaks."""
    return f"id: {mark}\nevent: {name}\ndata: {text}\n\n".encode()
