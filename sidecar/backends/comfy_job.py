"""One job on one ComfyUI: picture in, pipeline bound, prompt run once, files out.

What was reached is in the job's ledger before the next step, so that whoever takes the job up after
a kill goes on from there: finds the prompt, fetches what it made, or only tells that it is done.
Must not know HTTP routes, or how a server is chosen.
"""

from __future__ import annotations

import asyncio
import copy
import logging
import uuid
from dataclasses import dataclass, replace

from sidecar.comfy.client import ComfyClient
from sidecar.comfy.errors import ComfyError, NotFound, Rejected, RunFailed
from sidecar.comfy.events import Events
from sidecar.comfy.failures import failure
from sidecar.comfy.follow import Finished, Pace, PromptRun, Watchers
from sidecar.comfy.look import STUCK, stop
from sidecar.comfy.mark import Mark, Step
from sidecar.comfy.patience import Patience, Reporter
from sidecar.limits import Limits, not_started
from sidecar.media import MediaStore
from sidecar.pipelines import IMAGE, TEXT, Pipeline, bind
from sidecar.values import JobError, Json, Outputs

from .base import BackendError, RunContext
from .collect import Collector, collecting
from .inputs import Inputs
from .ledger import fetching, read_ledger, recorded

log = logging.getLogger(__name__)

_BEGUN = (Step.FOLLOWING, Step.FETCHING)
_MOST_RUNS = 3  # of a job whose picture or files somebody removes from ComfyUI's folders
_GONE = JobError("picture_gone", "The picture is no longer stored: upload it again.", status=400)


@dataclass(frozen=True)
class Server:
    """What this process keeps for each ComfyUI."""

    client: ComfyClient
    events: Events
    inputs: Inputs


class ComfyJob:
    """Runs one job. Before its task is cancelled, set `abandoned` if ComfyUI is to stop it too."""

    def __init__(
        self,
        context: RunContext,
        server: Server,
        media: MediaStore,
        pipeline: Pipeline,
        *,
        pace: Pace,
        limits: Limits,
    ) -> None:
        self._context = context
        self._server = server
        self._media = media
        self._pipeline = pipeline
        self._pace = pace
        self._limits = limits
        self._ledger = read_ledger(context.job.ledger)
        self._reporter = Reporter(context.progress, pace.away_s)
        self.abandoned = False
        self.stuck = False  # ComfyUI did not stop it
        self.untold = False  # ComfyUI could not be told to stop it
        self._stopping = False

    @property
    def prompt_id(self) -> str:
        """The id of the prompt that it has, or had last; blank if none yet."""
        return self._ledger.mark.prompt_id if self._ledger.mark is not None else ""

    @property
    def begun(self) -> bool:
        """Whether ComfyUI has begun the prompt, as far as it has told."""
        return self._ledger.mark is not None and self._ledger.mark.step in _BEGUN

    @property
    def waiting(self) -> bool:
        """Whether ComfyUI has taken the prompt but not begun it."""
        return self._ledger.mark is not None and self._ledger.mark.step is Step.ACCEPTED

    async def run(self) -> Outputs:
        """Make the files. Raises BackendError or ComfyError; leaves nothing half-made."""
        kept = await self._kept()
        if kept is not None:
            return kept
        known = await self._take_up()
        for left in reversed(range(_MOST_RUNS)):
            try:
                return await self._once(known=known)
            except NotFound:
                if not left:
                    raise
                log.info("job %s: a file is gone; running again", self._context.job.id)
                self._begin_anew(again=uuid.uuid4().hex)
            except (Rejected, RunFailed):
                if not left or await self._server.inputs.check(self._context.request.image):
                    raise
                self._begin_anew()  # somebody emptied ComfyUI's input folder
            known = False
        raise AssertionError("unreachable")

    async def stop(self) -> None:
        """Stop in ComfyUI, once, what nobody wants any more, however far this attempt has come."""
        unwanted = self._context.canceled or self.abandoned
        ledger, client = self._ledger, self._server.client
        under_way = ledger.server == client.url and self.prompt_id and ledger.record is None
        if self._stopping or not unwanted or not under_way:
            return
        self._stopping = True
        try:
            await stop(client, self.prompt_id, self._pace.stop_s)
        except ComfyError as error:
            self.stuck = isinstance(error, RunFailed)
            self.untold = not self.stuck
            log.warning("job %s may still run in ComfyUI: %s", self._context.job.id, error)

    async def _kept(self) -> Outputs | None:
        """Return the answer if an earlier attempt had it already."""
        outputs = self._ledger.outputs
        if outputs is None:
            return None
        found = [await self._media.stat(key) for key in (outputs.image, outputs.video)]
        if all(found):
            return outputs
        self._ledger = replace(self._ledger, mark=None, outputs=None, record=None)
        return None

    async def _take_up(self) -> bool:
        """Go on with what an earlier attempt began here; False if there is nothing."""
        before = self._ledger
        self._ledger = before.moved(self._server.client.url)
        known = self._ledger.mark is not None
        if known and self._ledger.record is None:  # what ComfyUI does is not this attempt's doing
            await self._context.remember(self._ledger.stored(), uncounted=True)
        if not known:
            self._begin_anew()
        return known

    def _begin_anew(self, again: str = "") -> None:
        """Plan another prompt; it is stored before it is posted."""
        mark = Mark(str(uuid.uuid4()))
        self._ledger = replace(self._ledger, mark=mark, again=again, answer=None, record=None)

    async def _once(self, *, known: bool) -> Outputs:
        """Run one prompt and keep its files. Raises NotFound if one is not there any more."""
        graph = await self._graph()
        async with collecting(
            Collector(
                self._context,
                self._server.client,
                self._media,
                self._pipeline,
                patience=self._patience,
            )
        ) as collector:
            finished = await self._finished(graph, collector, known=known)
            outputs = await self._collected(collector, finished)
        self._ledger = recorded(self._ledger, outputs)
        await self._context.remember(self._ledger.stored())
        return outputs

    async def _graph(self) -> dict[str, Json]:
        request = self._context.request
        picture = request.image
        if self._ledger.record is None:
            try:
                place = self._server.inputs.place
                picture = await self._patience().ask(lambda: place(request.image))
            except KeyError:
                raise BackendError(_GONE) from None
        graph = bind(self._pipeline, {**request.params, TEXT: request.text, IMAGE: picture})
        return _changed(graph, self._pipeline, self._ledger.again) if self._ledger.again else graph

    async def _finished(
        self, graph: dict[str, Json], collector: Collector, *, known: bool
    ) -> Finished:
        """Return what became of the prompt, from the ledger or from ComfyUI. Raises RunFailed."""
        ledger = self._ledger
        if ledger.record is not None:
            return Finished(ledger.answer or {}, ledger.record)
        finished = await self._followed(graph, collector, known=known)
        error = failure(finished.record, graph)
        if error is not None:
            raise RunFailed(error)
        return finished

    async def _collected(self, collector: Collector, finished: Finished) -> Outputs:
        """Return the files in our store; that they are being fetched is stored meanwhile."""
        if self._ledger.record is not None:
            return await collector.outputs(finished)
        self._ledger = fetching(self._ledger, finished.answer, finished.record)
        noting = asyncio.create_task(self._context.remember(self._ledger.stored()))
        try:
            outputs = await collector.outputs(finished)
            await noting
        finally:
            noting.cancel()
            await asyncio.gather(noting, return_exceptions=True)
        return outputs

    async def _followed(
        self, graph: dict[str, Json], collector: Collector, *, known: bool
    ) -> Finished:
        mark = self._ledger.mark or Mark(str(uuid.uuid4()))
        watchers = Watchers(
            self._reporter,
            self._note,
            collector.told,
            self._context.preview,
            self._reporter.away,
        )
        prompt = PromptRun(
            self._server.client,
            self._server.events,
            mark,
            graph,
            pace=self._pace,
            watchers=watchers,
            start_by=self._start_by(),
            extra=self._extra(),
        )
        try:
            return await prompt.finish(posted_before=known)
        except asyncio.CancelledError:
            await self.stop()
            raise
        except RunFailed as error:
            self.stuck = error.error is STUCK
            raise

    def _patience(self) -> Patience:
        return Patience(self._pace.away_s, self._reporter.away)

    async def _note(self, mark: Mark) -> None:
        self._ledger = replace(self._ledger, mark=mark)
        await self._context.remember(self._ledger.stored())

    def _extra(self) -> Json:
        """Return what lets an operator find the job of a prompt that ComfyUI shows."""
        spec = self._context.job.spec
        return {"promptreel": {"job_id": spec.id, "request_id": spec.request_id}}

    def _start_by(self) -> tuple[float, JobError] | None:
        seconds = self._limits.start_s
        if seconds is None:
            return None
        return self._context.job.created_at + seconds, not_started(seconds)


def _changed(graph: dict[str, Json], pipeline: Pipeline, again: str) -> dict[str, Json]:
    """Return the graph so that its output nodes run again: an input that no node knows (which is
    ignored) makes ComfyUI's cache miss (comfyui.md 4.1).
    """
    changed = copy.deepcopy(graph)
    for node in {pipeline.video_output, pipeline.image_output} - {None}:
        changed[str(node)]["inputs"]["promptreel_again"] = again
    return changed
