"""A ComfyUI as a backend: runs each job on the server that was chosen for it.

A job that is canceled is stopped in ComfyUI too; when only this service ends, ComfyUI goes on and
the next run collects what it made. A server that stays away loses its jobs to another one, if there
is another. Must not know HTTP routes.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Iterable, Mapping
from typing import Protocol

import aiohttp

from sidecar.comfy.client import ComfyClient
from sidecar.comfy.errors import (
    BadAnswer,
    ComfyError,
    NotFound,
    Rejected,
    RunFailed,
    TooLarge,
    Unreachable,
)
from sidecar.comfy.events import Events
from sidecar.comfy.failures import rejection
from sidecar.comfy.follow import Pace
from sidecar.comfy.look import STUCK
from sidecar.jobs import Job
from sidecar.limits import Limits, took_too_long
from sidecar.media import MediaStore
from sidecar.pipelines import Pipeline, read_kept
from sidecar.values import JobError, Json, Outputs

from .base import BackendError, RunContext
from .catalog import ServerCatalog
from .comfy_job import ComfyJob, Server
from .inputs import Inputs
from .ledger import read_ledger
from .spelling import spelled
from .within import GivenUp, within

log = logging.getLogger(__name__)

_RETRY_S = 1.0
_PIPELINE_GONE = JobError(
    "pipeline_gone", "The pipeline of this job is not there any more: send it again."
)


class Home(Protocol):
    """The servers as one: what a job may ask of those it does not run on, and tell of its own."""

    def others(self, job: Job, url: str) -> bool:
        """Whether another server could run the job."""
        ...

    def leaving(self, url: str) -> asyncio.Event:
        """Return what is set when the server is stuck: what waits there should go."""
        ...

    def stuck(self, url: str, prompt_id: str) -> None:
        """Say that the server does not stop the prompt."""
        ...

    def lost(self, url: str) -> None:
        """Say that the server did not answer for the grace time."""
        ...

    def left(self, url: str, prompt_id: str) -> None:
        """Say that the prompt was given up there: to be stopped when the server is back."""
        ...


class ComfyBackend:
    """Runs jobs, each on the ComfyUI that was chosen for it.

    `session`: the process's one HTTP session. `client_id`: the same in each process on this data,
    so that ComfyUI goes on telling of prompts that an earlier one sent. `input_dirs`: by address,
    as `Inputs` takes them; `input_dir` for the others. `close` it in the end.
    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        media: MediaStore,
        catalog: ServerCatalog,
        home: Home,
        *,
        client_id: str,
        input_dir: str = "",
        input_dirs: Mapping[str, str] | None = None,
        pace: Pace | None = None,
        limits: Limits | None = None,
    ) -> None:
        self._session = session
        self._media = media
        self._catalog = catalog
        self._home = home
        self._client_id = client_id
        self._input_dir = input_dir
        self._input_dirs = dict(input_dirs or {})
        self._pace = pace or Pace()
        self._limits = limits or Limits()
        self._servers: dict[str, Server] = {}

    async def close(self) -> None:
        """Close the web sockets."""
        for server in self._servers.values():
            await server.events.close()

    def inputs(self, urls: Iterable[str]) -> list[Inputs]:
        """Return where the pictures lie at those servers, and at those that had a job."""
        for url in urls:
            self.server(url)
        return [server.inputs for server in self._servers.values()]

    async def run(self, context: RunContext) -> Outputs:
        """Make the files. Raises BackendError; leaves nothing half-made."""
        pipeline = self._pipeline(context)
        if pipeline is None:
            raise BackendError(_PIPELINE_GONE)
        server = self.server(context.server)
        for url, prompt_id in read_ledger(context.job.ledger).moved(context.server).left:
            self._home.left(url, prompt_id)
        pipeline = spelled(pipeline, windows=self._catalog.windows(context.server))
        job = ComfyJob(context, server, self._media, pipeline, pace=self._pace, limits=self._limits)
        try:
            return await self._limited(context, job)
        except ComfyError as error:
            failed = self._failed(context, error, job, pipeline.graph)
            job.untold = isinstance(error, Unreachable) and failed.retry_in is None
            raise failed from None
        finally:
            if job.stuck:
                self._home.stuck(context.server, job.prompt_id)
            if job.untold and job.prompt_id:
                self._home.left(context.server, job.prompt_id)

    def _pipeline(self, context: RunContext) -> Pipeline | None:
        """Return the job's pipeline: of one that was published, as it was when it was accepted."""
        name, kept = context.request.pipeline, context.request.kept
        return read_kept(name, kept) if kept else self._catalog.pipelines.get(name)

    def server(self, url: str) -> Server:
        """Return what this process keeps for the server."""
        if url not in self._servers:
            client = ComfyClient(url, self._session)
            folder = self._input_dirs.get(url) or self._input_dir
            self._servers[url] = Server(
                client,
                Events(client, self._client_id),
                Inputs(client, self._media, folder),
            )
        return self._servers[url]

    async def _limited(self, context: RunContext, job: ComfyJob) -> Outputs:
        """Run until it takes too long, or waits behind what its server does not stop."""

        def give_up(late: bool) -> bool:
            others = self._home.others(context.job, context.server)
            job.abandoned = late or (job.waiting and others)
            return job.abandoned

        try:
            return await within(
                job.run(), self._left_s(context.job), self._home.leaving(context.server), give_up
            )
        except asyncio.CancelledError:
            await job.stop()
            raise
        except GivenUp as given_up:
            await job.stop()  # it may have had no time to do so itself
            if given_up.late:
                raise BackendError(took_too_long(self._limits.total_s or 0.0)) from None
            raise BackendError(STUCK, retry_in=0.0) from None

    def _left_s(self, job: Job) -> float | None:
        if self._limits.total_s is None:
            return None
        return max(self._limits.total_s - (time.time() - (job.started_at or time.time())), 0.0)

    def _failed(
        self, context: RunContext, error: ComfyError, job: ComfyJob, graph: Mapping[str, Json]
    ) -> BackendError:
        """Return how the job fails, or that another server shall try."""
        job_error = _explained(error, graph)
        if isinstance(error, (Rejected, Unreachable)):
            self._catalog.forget(context.server)
        if isinstance(error, Unreachable):
            self._home.lost(context.server)
            job_error = unreachable(error, self._pace.away_s, begun=job.begun)
        away = isinstance(error, Unreachable) or job_error.code == "missing_requirements"
        if away and self._home.others(context.job, context.server):
            return BackendError(job_error, retry_in=_RETRY_S)
        return BackendError(job_error)


def unreachable(error: Unreachable, away_s: float, *, begun: bool) -> JobError:
    """Return what became of a ComfyUI that did not answer for the grace time, and what to do."""
    when = "in the middle of the video" if begun else "before it began the video"
    if error.refused:
        seen = (
            f"For {away_s:g} s it took no connection: it has ended, perhaps for lack of memory, "
            "or is still starting. Its log says more."
        )
    else:
        seen = f"For {away_s:g} s it was silent: it hangs, or the network on the way to it does."
    return JobError(
        "comfyui_unreachable",
        f"ComfyUI stopped answering {when}: start it and send the request again.",
        f"{seen} The operator sets by PROMPTREEL_COMFYUI_AWAY_SECONDS how long it is waited for.",
    )


def _explained(error: ComfyError, graph: Mapping[str, Json]) -> JobError:
    """Return the error as a client may see it."""
    if isinstance(error, RunFailed):
        return error.error
    if isinstance(error, Rejected):
        return rejection(error, graph)
    if isinstance(error, TooLarge):
        return JobError("too_large", str(error))
    if isinstance(error, NotFound):
        return JobError("no_output", "ComfyUI named a file that is not there: send it again.")
    kind = "wrong answers" if isinstance(error, BadAnswer) else "no clear answer"
    return JobError("comfyui_failed", f"ComfyUI gave {kind}: check that it is one and works.")
