"""A ComfyUI as a backend: picture in, pipeline bound, prompt run once, files out.

What survives a kill of this process is the prompt's id in the job's ledger: the next run finds the
prompt by it and goes on. A job that is canceled is stopped in ComfyUI too; when only this service
ends, ComfyUI goes on and the next run collects what it made. Must not know HTTP routes.
"""

from __future__ import annotations

import asyncio
import copy
import logging
import uuid
from collections.abc import Mapping
from dataclasses import dataclass

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
from sidecar.comfy.failures import failure, rejection
from sidecar.comfy.follow import Finished, Pace, PromptRun
from sidecar.media import MediaStore
from sidecar.pipelines import IMAGE, TEXT, Pipeline, bind
from sidecar.values import JobError, Json, Outputs

from .base import BackendError, RunContext
from .catalog import ServerCatalog
from .collect import UNREACHABLE, Collector, collecting
from .inputs import Inputs
from .together import together

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Server:
    """What this process keeps for each ComfyUI."""

    client: ComfyClient
    events: Events
    inputs: Inputs


@dataclass(frozen=True)
class _Prompt:
    """A prompt's id, and whether it may have been posted by an earlier run."""

    id: str
    posted: bool


class ComfyBackend:
    """Runs jobs on the ComfyUI that each names.

    `session`: the process's one HTTP session. `input_dir`: as `Inputs` takes it. `close` it in the
    end.
    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        media: MediaStore,
        catalog: ServerCatalog,
        *,
        input_dir: str = "",
        pace: Pace | None = None,
    ) -> None:
        self._session = session
        self._media = media
        self._catalog = catalog
        self._input_dir = input_dir
        self._pace = pace or Pace()
        self._client_id = uuid.uuid4().hex
        self._servers: dict[str, _Server] = {}

    async def close(self) -> None:
        """Close the web sockets."""
        for server in self._servers.values():
            await server.events.close()

    async def run(self, context: RunContext) -> Outputs:
        """Make the files. Raises BackendError; leaves nothing half-made."""
        pipeline = self._catalog.pipelines.get(context.request.pipeline)
        if pipeline is None:
            raise BackendError(_PIPELINE_GONE)
        server = self._server(context.request.server or "")
        try:
            return await self._with_its_picture(context, server, pipeline)
        except ComfyError as error:
            if isinstance(error, (Rejected, Unreachable)):
                self._catalog.forget(server.client.url)
            raise BackendError(_explained(error, pipeline.graph)) from None

    def _server(self, url: str) -> _Server:
        if url not in self._servers:
            client = ComfyClient(url, self._session)
            events = Events(client, self._client_id)
            self._servers[url] = _Server(
                client, events, Inputs(client, self._media, self._input_dir)
            )
        return self._servers[url]

    async def _with_its_picture(
        self, context: RunContext, server: _Server, pipeline: Pipeline
    ) -> Outputs:
        """Run; once more if it failed because somebody emptied ComfyUI's input folder."""
        earlier = _earlier(context.job.ledger, server.client.url)
        try:
            return await self._run(context, server, pipeline, earlier)
        except (Rejected, RunFailed):
            if await server.inputs.check(context.request.image):
                raise
        return await self._run(context, server, pipeline, None)

    async def _run(
        self, context: RunContext, server: _Server, pipeline: Pipeline, earlier: _Prompt | None
    ) -> Outputs:
        request = context.request
        picture, prompt = await together(
            _placed(server.inputs, request.image),
            _prompt(context, server.client.url, earlier),
        )
        graph = bind(pipeline, {**request.params, TEXT: request.text, IMAGE: picture})
        try:
            return await self._result(context, server, pipeline, graph, prompt)
        except NotFound:
            log.info("job %s: ComfyUI remembers a file that is gone; running again", context.job.id)
        prompt = await _prompt(context, server.client.url)
        return await self._result(context, server, pipeline, _anew(graph, pipeline), prompt)

    async def _result(
        self,
        context: RunContext,
        server: _Server,
        pipeline: Pipeline,
        graph: dict[str, Json],
        known: _Prompt,
    ) -> Outputs:
        """Run one prompt and keep its files. Raises NotFound if one is not there any more."""
        collector = Collector(context, server.client, self._media, pipeline)
        async with collecting(collector):
            prompt = PromptRun(
                server.client,
                server.events,
                known.id,
                graph,
                pace=self._pace,
                report=context.progress,
                told=collector.told,
            )
            finished = await _finished(context, prompt, known)
            error = failure(finished.record, graph)
            if error is not None:
                raise RunFailed(error)
            return await collector.outputs(finished)


_PIPELINE_GONE = JobError(
    "pipeline_gone", "The pipeline of this job is not there any more: send it again."
)
_PICTURE_GONE = JobError(
    "picture_gone", "The picture is no longer stored: upload it again.", status=400
)


async def _placed(inputs: Inputs, key: str) -> str:
    try:
        return await inputs.place(key)
    except KeyError:
        raise BackendError(_PICTURE_GONE) from None


def _earlier(ledger: Json, url: str) -> _Prompt | None:
    """Return the prompt that an earlier run of this job posted, or was about to."""
    known = ledger.get("prompt_id") if ledger.get("server") == url else None
    return _Prompt(str(known), posted=True) if known else None


async def _prompt(context: RunContext, url: str, earlier: _Prompt | None = None) -> _Prompt:
    """Return the earlier prompt, or a new one whose id is stored before anything is posted."""
    if earlier is not None:
        return earlier
    prompt = _Prompt(str(uuid.uuid4()), posted=False)
    await context.remember({"prompt_id": prompt.id, "server": url})
    return prompt


def _anew(graph: dict[str, Json], pipeline: Pipeline) -> dict[str, Json]:
    """Return the graph so that its output nodes run again: an input that no node knows (which is
    ignored) makes ComfyUI's cache miss (comfyui.md 4.1).
    """
    changed = copy.deepcopy(graph)
    for node in {pipeline.video_output, pipeline.image_output} - {None}:
        changed[str(node)]["inputs"]["promptreel_again"] = uuid.uuid4().hex
    return changed


async def _finished(context: RunContext, prompt: PromptRun, known: _Prompt) -> Finished:
    try:
        return await prompt.finish(posted_before=known.posted)
    except asyncio.CancelledError:
        if context.canceled:
            await _stop(prompt)
        raise


async def _stop(prompt: PromptRun) -> None:
    try:
        await prompt.stop()
    except ComfyError as error:
        log.warning("a canceled job may still run in ComfyUI: %s", error)


def _explained(error: ComfyError, graph: Mapping[str, Json]) -> JobError:
    """Return the error as a client may see it."""
    if isinstance(error, RunFailed):
        return error.error
    if isinstance(error, Rejected):
        return rejection(error, graph)
    if isinstance(error, Unreachable):
        return UNREACHABLE
    if isinstance(error, TooLarge):
        return JobError("too_large", str(error))
    if isinstance(error, NotFound):
        return JobError("no_output", "ComfyUI named a file that is not there: send it again.")
    kind = "wrong answers" if isinstance(error, BadAnswer) else "no clear answer"
    return JobError("comfyui_failed", f"ComfyUI gave {kind}: check that it is one and works.")
