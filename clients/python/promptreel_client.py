"""A picture and a sentence become a video: a client of the PromptReel service.

One file, Python 3.10, the standard library only: import it, or copy it into your own program.

    from promptreel_client import PromptReel

    reel = PromptReel("http://127.0.0.1:8190")
    made = reel.generate("photo.jpg", "slow push in, sunset", on_progress=print)
    reel.download(made.video, "video.mp4")

Every call can be sent again without harm, and is, after a lost connection: pictures are known by
their content, jobs by an Idempotency-Key. Whatever ends `generate` early cancels its job.

PromptReelError
  Refused     the service said no, or could not do it: `status`, `code`, `error`, `details`
    JobFailed the job ended without a video
  Away        the service can't be reached, for as long as was to be waited
  TimedOut    the video is not there in time
"""

from __future__ import annotations

import json
import os
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass, field
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from typing import Any

_CONNECTION = 60.0  # seconds of silence after which a connection is taken for lost
_LONGEST_PAUSE = 5.0  # between two attempts, unless the service asks for more
_BUSY = (429, 502, 503, 504)  # to be tried again later
_ENDED = ("succeeded", "failed", "canceled")


class PromptReelError(Exception):
    """What can go wrong."""


class Away(PromptReelError):
    """The service can't be reached."""


class TimedOut(PromptReelError):
    """The video is not there in time."""


class Refused(PromptReelError):
    """The service said no; `fields` names what is wrong with the request."""

    def __init__(self, status: int, body: Mapping[str, Any], retry_after: float = 0.0) -> None:
        self.status = status
        self.code = str(body.get("code") or "")
        self.error = str(body.get("error") or f"The service answered with status {status}.")
        self.details = str(body.get("details") or "")
        self.fields: Mapping[str, str] = body.get("fields") or {}
        self.retry_after = retry_after
        super().__init__(f"{self.error} {self.details}".strip())


class JobFailed(Refused):
    """The job ended without a video."""


@dataclass(frozen=True)
class Progress:
    """How far a job is: `value` in 0..1 never goes back."""

    value: float = 0.0
    message: str = ""
    node: str | None = None
    step: int | None = None
    steps: int | None = None


@dataclass(frozen=True)
class Result:
    """What was made. `image` is the still that the video starts from; both are addresses."""

    video: str
    image: str
    job_id: str
    is_demo: bool = False
    workflow_response: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Job:
    """A job; `status` is queued, running, succeeded, failed or canceled."""

    id: str
    status: str
    pipeline: str
    progress: Progress = field(default_factory=Progress)
    queue_position: int | None = None
    result: Result | None = None
    error: Mapping[str, Any] | None = None

    @property
    def ended(self) -> bool:
        """Whether it will never change again."""
        return self.status in _ENDED


@dataclass(frozen=True)
class Event:
    """One server-sent event: `name` is status, progress, preview or result."""

    name: str
    id: str
    data: Mapping[str, Any]


class PromptReel:
    """The service at `url`.

    `patience`: seconds for which a call is sent again while the service is away or busy.
    """

    def __init__(
        self, url: str = "http://127.0.0.1:8190", key: str = "", *, patience: float = 60.0
    ) -> None:
        self.url = url.rstrip("/")
        self._key = key
        self._patience = patience
        self._opener = urllib.request.build_opener(_NoRedirects)

    # what most programs need

    def generate(
        self,
        picture: str | os.PathLike[str] | bytes,
        text: str,
        *,
        on_progress: Callable[[Job], object] | None = None,
        timeout: float | None = None,
        idempotency_key: str | None = None,
        **params: object,
    ) -> Result:
        """Make a video and wait for it. Raises PromptReelError.

        `picture`: a file, its bytes, or an address. `params`: what the pipeline takes (`seconds`,
        `resolution`, `seed`, `comfyPipeline`...). `on_progress` is called with each new state.
        """
        deadline = None if timeout is None else time.monotonic() + timeout
        job = self.submit(picture, text, idempotency_key=idempotency_key, **params)
        try:
            ended = self.wait(job.id, on_progress=on_progress, deadline=deadline)
        except BaseException:
            with suppress(PromptReelError):
                self._call("POST", f"/api/jobs/{_quoted(job.id)}/cancel", patience=0.0)
            raise
        return _result_of(ended)

    def upload(self, picture: str | os.PathLike[str] | bytes) -> str:
        """Upload a picture and return its address; the same picture has the same one."""
        data = picture if isinstance(picture, bytes) else Path(picture).read_bytes()
        mark = uuid.uuid4().hex
        head = (
            f"--{mark}\r\n"
            'Content-Disposition: form-data; name="image"; filename="picture"\r\n'
            "Content-Type: application/octet-stream\r\n\r\n"
        )
        body = head.encode() + data + f"\r\n--{mark}--\r\n".encode()
        form = {"Content-Type": f"multipart/form-data; boundary={mark}"}
        return str(self._call("POST", "/api/upload", body, form)["imageUrl"])

    def cancel(self, job_id: str) -> Job:
        """Ask for a job to be stopped; asking again changes nothing."""
        return _job(self._call("POST", f"/api/jobs/{_quoted(job_id)}/cancel"))

    def download(self, address: str, path: str | os.PathLike[str]) -> None:
        """Save a video or a picture; the file is there whole or not at all."""
        part = Path(f"{os.fspath(path)}.part")
        with self._open("GET", address, patience=self._patience) as response, part.open("wb") as to:
            while chunk := response.read(1 << 16):
                to.write(chunk)
        part.replace(path)

    # the steps, one by one

    def submit(
        self,
        picture: str | os.PathLike[str] | bytes,
        text: str,
        *,
        idempotency_key: str | None = None,
        **params: object,
    ) -> Job:
        """Ask for a video and return the job at once."""
        address = picture if _is_address(picture) else self.upload(picture)
        body = json.dumps({"imageUrl": address, "text": text, **params}).encode()
        headers = {
            "Content-Type": "application/json",
            "Prefer": "respond-async",
            "Idempotency-Key": idempotency_key or uuid.uuid4().hex,
        }
        return _job(self._call("POST", "/api/generate", body, headers))

    def job(self, job_id: str) -> Job:
        """Return how a job is."""
        return _job(self._call("GET", f"/api/jobs/{_quoted(job_id)}"))

    def wait(
        self,
        job_id: str,
        *,
        on_progress: Callable[[Job], object] | None = None,
        deadline: float | None = None,
    ) -> Job:
        """Follow a job to its end and return it. `deadline`: by `time.monotonic()`."""
        told: Job | None = None
        for job in self._states(job_id, deadline):
            if on_progress is not None and job != told:
                on_progress(job)
            told = job
            if job.ended:
                return job
        raise Away("The service forgot the job.")

    def events(self, job_id: str, last_id: str = "") -> Iterator[Event]:
        """Give a job's events until the stream ends or breaks; `last_id` resumes."""
        headers = {"Accept": "text/event-stream"}
        if last_id:
            headers["Last-Event-ID"] = last_id
        path = f"/api/jobs/{_quoted(job_id)}/events"
        with self._open("GET", path, headers=headers, patience=0.0) as response:
            yield from _read_events(response)

    # within

    def _states(self, job_id: str, deadline: float | None) -> Iterator[Job]:
        """Give the job's states as they come; go on with the next event when a stream breaks."""
        last_id, pause = "", 0.1
        job = self.job(job_id)
        yield job
        while True:
            _check(deadline)
            try:
                for event in self.events(job_id, last_id):
                    _check(deadline)
                    last_id, pause = event.id or last_id, 0.1
                    job = _after(job, event)
                    yield job
            except Refused as error:
                if error.status not in _BUSY:
                    raise
                pause = max(pause, error.retry_after)
            except Away:
                pause = min(pause * 2, _LONGEST_PAUSE)
            job = self.job(job_id)  # raises Away when the service stays away
            yield job
            time.sleep(pause)

    def _call(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        patience: float | None = None,
    ) -> Mapping[str, Any]:
        """Send, again if need be, and return the answer's JSON."""
        left = self._patience if patience is None else patience
        with self._open(method, path, body, headers, patience=left) as response:
            return json.loads(response.read())

    def _open(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        *,
        patience: float,
    ) -> closing[HTTPResponse]:
        """Return the answer to a request that can be sent again. Raises Refused, Away."""
        end, pause = time.monotonic() + patience, 0.25
        while True:
            try:
                return closing(self._once(method, path, body, headers or {}))
            except Refused as error:
                pause = max(pause, error.retry_after)
                if error.status not in _BUSY or time.monotonic() + pause > end:
                    raise
            except Away:
                if time.monotonic() + pause > end:
                    raise
            time.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)

    def _once(
        self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]
    ) -> HTTPResponse:
        address = self._address(path)
        request = urllib.request.Request(address, body, dict(headers), method=method)  # noqa: S310
        if self._key and request.full_url.startswith(f"{self.url}/"):
            request.add_unredirected_header("Authorization", f"Bearer {self._key}")
        try:
            return self._opener.open(request, timeout=_CONNECTION)
        except urllib.error.HTTPError as error:
            with error:
                raise _refused(error) from None
        except (OSError, HTTPException) as error:
            why = getattr(error, "reason", None) or error  # URLError says it in its own way
            why = getattr(why, "strerror", None) or why
            raise Away(f"PromptReel at {self.url} can't be reached: {why}.") from None

    def _address(self, path: str) -> str:
        address = path if "://" in path else f"{self.url}{path}"
        if not address.lower().startswith(("http://", "https://")):
            raise ValueError("Only http and https addresses can be asked.")
        return address


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """The key goes nowhere else."""

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: object,
        code: int,
        msg: str,
        headers: object,
        newurl: str,
    ) -> None:
        """Follow none."""


def _read_events(response: HTTPResponse) -> Iterator[Event]:
    """Read server-sent events as they come. Raises Away when the connection breaks."""
    block: dict[str, str] = {}
    try:
        while raw := response.readline():
            line = raw.decode().rstrip("\r\n")
            name, _, value = line.partition(":")
            if line and name:
                block[name] = value.removeprefix(" ")
            elif not line and "data" in block:
                name, mark = block.get("event", "message"), block.get("id", "")
                yield Event(name, mark, json.loads(block["data"]))
                block = {}
    except (OSError, HTTPException) as error:
        raise Away(f"The connection broke: {error}.") from None


def _after(job: Job, event: Event) -> Job:
    """Return the job as an event tells it."""
    if event.name in ("status", "result"):
        return _job(event.data)
    if event.name == "progress":
        progress = Progress(**event.data)
        return Job(job.id, job.status, job.pipeline, progress, job.queue_position)
    return job


def _job(view: Mapping[str, Any]) -> Job:
    made = view.get("result")
    return Job(
        view["id"],
        view["status"],
        view.get("pipeline") or "",
        Progress(**view["progress"]),
        view.get("queuePosition"),
        None if made is None else _result(made),
        view.get("error"),
    )


def _result(body: Mapping[str, Any]) -> Result:
    return Result(
        body["video"],
        body["image"],
        body["jobId"],
        bool(body.get("isDemo")),
        body.get("workflowResponse"),
    )


def _result_of(job: Job) -> Result:
    if job.result is not None:
        return job.result
    if job.error is not None:
        raise JobFailed(500, job.error)
    raise JobFailed(500, {"error": "The job was canceled.", "code": "job_canceled"})


def _refused(error: urllib.error.HTTPError) -> Refused:
    body: Mapping[str, Any] = {}
    with suppress(ValueError, OSError, HTTPException, TypeError):
        body = {**json.loads(error.read())}
    asked = error.headers.get("Retry-After", "")
    seconds = float(asked) if asked.isdigit() else 0.0
    return Refused(error.code, body, seconds)


def _is_address(picture: str | os.PathLike[str] | bytes) -> bool:
    return isinstance(picture, str) and picture.lower().startswith(("http://", "https://", "data:"))


def _quoted(job_id: str) -> str:
    return urllib.parse.quote(job_id, safe="")


def _check(deadline: float | None) -> None:
    if deadline is not None and time.monotonic() > deadline:
        raise TimedOut("The video is not there in time: its job is canceled.")
