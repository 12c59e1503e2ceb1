"""One prompt on one ComfyUI: posted once, followed to its end, or stopped for real.

The algorithm of comfyui.md section 5: what is about to be done is remembered before (`Mark`); an
answer that was lost means "unknown", so look before posting again with the same id; web-socket
messages only wake and show progress. A prompt that is nowhere in two consecutive looks is lost:
posted again if ComfyUI was restarted or had begun it (then its history was cleared), a failure if
somebody took it out of the queue. Must not know jobs or pipelines.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace

from sidecar.values import JobError, Json, Progress

from .client import ComfyClient
from .errors import Rejected, RunFailed, UnknownOutcome
from .events import Event, Events, Message, Preview, Subscription
from .identity import restarted, witness
from .look import Queued, look, stop
from .mark import Mark, Step
from .patience import Patience
from .progress import Progression
from .shapes import an_object

log = logging.getLogger(__name__)

_LATE_S = 0.05


@dataclass(frozen=True)
class Pace:
    """How patient we are, in seconds."""

    poll_s: float = 2.0  # between looks while no message comes
    socket_s: float = 2.0  # for the web socket to open before posting without it
    settle_s: float = 3.0  # that a post with a lost answer may still be on its way
    absent_s: float = 1.0  # between the two looks that call a prompt lost
    away_s: float = 120.0  # for a ComfyUI that does not answer (it may be restarting)
    stall_s: float = 1800.0  # without any sign of progress while it runs
    stop_s: float = 10.0  # for an interrupt to take effect
    posts: int = 3  # how often one prompt is posted while ComfyUI does not take it
    runs: int = 10  # how often it is begun while ComfyUI loses it again and again


@dataclass(frozen=True)
class Finished:
    """What became of a prompt: the answer to its post, and its history record."""

    answer: Json
    record: Json


@dataclass(frozen=True)
class Watchers:
    """Who hears of a prompt. `remember` stores a mark before the next step is taken; `away` hears
    True while ComfyUI does not answer, and False when it does again.
    """

    report: Callable[[Progress], None]
    remember: Callable[[Mark], Awaitable[None]] | None = None
    told: Callable[[str, Json], None] | None = None  # what a node says that it made
    preview: Callable[[bytes, str], None] | None = None  # a picture's bytes and type
    away: Callable[[bool], None] | None = None


class PromptRun:
    """Runs the prompt of `mark`. `start_by`: until when ComfyUI must begin it (epoch s), and what
    is said if it did not. `extra`: what its record in ComfyUI holds besides.
    """

    def __init__(
        self,
        client: ComfyClient,
        events: Events,
        mark: Mark,
        graph: Mapping[str, Json],
        *,
        pace: Pace,
        watchers: Watchers,
        start_by: tuple[float, JobError] | None = None,
        extra: Json | None = None,
    ) -> None:
        self._client = client
        self._events = events
        self._id = mark.prompt_id
        self._graph = graph
        self._pace = pace
        self._watchers = watchers
        self._start_by = start_by
        self._extra = extra or {}
        self._progression = Progression(graph)
        self._answer: Json | None = None
        self._epoch: int | None = None
        self.mark = mark

    async def finish(self, *, posted_before: bool) -> Finished:
        """Run to the end. `posted_before`: an earlier process may have posted it already.

        Raises RunFailed, Rejected, Unreachable (away for too long) or another ComfyError, and what
        `remember` raises.
        """
        with self._events.subscribe(self._id) as subscription:
            if posted_before:
                self._answer = await self._recover()
            else:
                await self._events.ready(self._pace.socket_s)
            at_once = self._answer is not None
            for _ in range(self._pace.runs):
                if self._answer is None:
                    self._answer = await self._post()
                record = await self._follow(subscription, at_once=at_once)
                if record is not None:
                    return Finished(self._answer, record)
                await self._explain_loss()
                self._answer, at_once = None, False
        raise RunFailed(
            JobError(
                "comfyui_restarted",
                "ComfyUI was restarted again and again while it made the video: send it again.",
                f"It lost the job {self._pace.runs} times. If it ends at this video, its log says "
                "why; for lack of memory, ask for a lower resolution or fewer seconds.",
            )
        )

    async def stop(self) -> None:
        """Take the prompt out of the queue or interrupt it, and make sure that it worked.

        Raises RunFailed if it still runs after `stop_s`: then only a restart of ComfyUI helps.
        """
        await stop(self._client, self._id, self._pace.stop_s)

    def _patience(self) -> Patience:
        return Patience(self._pace.away_s, self._watchers.away)

    async def _note(self, step: Step, **more: object) -> None:
        """Remember the step before it is taken."""
        self.mark = replace(self.mark, step=step, at=time.time(), **more)
        if self._watchers.remember is not None:
            await self._watchers.remember(self.mark)

    async def _recover(self) -> Json | None:
        """Return the answer that the prompt got; None if it must be posted (again)."""
        if self.mark.step in (Step.SUBMITTING, Step.UNKNOWN):
            since = max(time.time() - self.mark.at, 0.0)
            return await self._found(max(self._pace.settle_s - since, 0.0))
        return self._answered(self.mark.number)

    async def _found(self, settle_s: float) -> Json | None:
        """Look for what may have been posted; note it if it is there."""
        answer = await self._find(settle_s)
        if answer is not None:
            await self._note(Step.ACCEPTED, number=answer["number"])
        return answer

    def _answered(self, number: float | None) -> Json:
        return {"prompt_id": self._id, "number": number, "node_errors": {}}

    # posting

    async def _post(self) -> Json:
        """Post until it is certain that ComfyUI has it; return the answer."""
        for _ in range(self._pace.posts):
            answer = await self._post_once()
            if answer is not None:
                return answer
        raise RunFailed(
            JobError("comfyui_failed", "ComfyUI fails when it takes the graph: its log says more.")
        )

    async def _post_once(self) -> Json | None:
        """Post; None if the answer was lost and ComfyUI does not have it."""
        patience = self._patience()
        if self._start_by is not None and time.time() > self._start_by[0]:
            raise RunFailed(self._start_by[1])
        seen = self._events.witness or await patience.ask(lambda: witness(self._client))
        await self._note(Step.SUBMITTING, witness=seen, number=None)
        try:
            answer = await patience.ask(self._submit)
        except UnknownOutcome:
            log.warning("prompt %s: the answer was lost; looking", self._id)
            await self._note(Step.UNKNOWN)
            return await self._found(self._pace.settle_s)
        except Rejected:
            await self.stop()  # a 200 with node_errors has queued the rest
            raise
        await self._note(Step.ACCEPTED, number=answer.get("number"))
        return answer

    async def _submit(self) -> Json:
        """Post once. Cancelled in the middle, it waits for the answer before it lets go."""
        sent_at = asyncio.get_running_loop().time()
        self._epoch = self._events.epoch if self._events.connected else None
        post = asyncio.create_task(
            self._client.submit(
                self._graph,
                prompt_id=self._id,
                client_id=self._events.client_id,
                extra_data=self._extra,
            )
        )
        try:
            answer = await asyncio.shield(post)
        except asyncio.CancelledError:
            done, _ = await asyncio.wait([post], timeout=self._pace.stop_s)
            if not done:
                post.cancel()
            elif not post.cancelled():
                post.exception()  # looked at: what is there now, `stop` will see
            raise
        self._events.submitted(sent_at)
        return answer

    async def _find(self, settle_s: float) -> Json | None:
        """Look for a prompt that may have been posted; return the answer it must have got."""
        loop = asyncio.get_running_loop()
        patience, end = self._patience(), loop.time() + settle_s
        while True:
            found = await patience.ask(self._look)
            if found is not None:
                return self._answered(found.number if isinstance(found, Queued) else _number(found))
            if loop.time() >= end:
                return None
            await asyncio.sleep(min(0.25, settle_s))

    # following

    async def _follow(self, subscription: Subscription, *, at_once: bool) -> Json | None:
        """Return the history record; None if the prompt is lost. `at_once`: it may be over."""
        loop = asyncio.get_running_loop()
        patience = self._patience()
        sign_at = loop.time()
        look_at = sign_at + (0.0 if at_once else self._pace.poll_s)
        absent = False
        while True:
            message = await subscription.next(self._pause_s(look_at - loop.time()))
            now = loop.time()
            if message is not None and not _over(message):
                await self._take(message)
                look_at, sign_at = now + self._pace.poll_s, now
                continue
            if message is None and absent and now < look_at:
                continue  # woken: the second look must not come right after the first
            found = await patience.ask(self._ended if message else self._look)
            sign_at += loop.time() - now  # while it was away it gave no sign, and could give none
            if not isinstance(found, Queued) and found is not None:
                return found
            if found is None and absent:
                return None
            absent = found is None
            look_at = loop.time() + (self._pace.absent_s if absent else self._pace.poll_s)
            if isinstance(found, Queued):
                sign_at = sign_at if found.running else loop.time()
                await self._check(found, loop.time() - sign_at)

    def _pause_s(self, seconds: float) -> float:
        """Return how long to wait for a message: a job that waits too long is looked at in time."""
        if self._start_by is not None and self.mark.step is not Step.FOLLOWING:
            due_s = self._start_by[0] - time.time() + _LATE_S
            seconds = min(seconds, max(due_s, _LATE_S))
        return max(seconds, 0.0)

    async def _ended(self) -> Queued | Json | None:
        """Look after the last message: then the history is complete (comfyui.md 5)."""
        return await self._client.history(self._id) or await self._look()

    async def _look(self) -> Queued | Json | None:
        return await look(self._client, self._id)

    async def _take(self, message: Message) -> None:
        if isinstance(message, Preview):
            if self._watchers.preview is not None:
                self._watchers.preview(message.data, message.content_type)
            return
        await self._begun()
        progress = self._progression.take(message)
        if progress is not None:
            self._watchers.report(progress)
        if message.type == "executed" and self._watchers.told is not None:
            output = an_object(message.data.get("output"))
            self._watchers.told(str(message.data.get("node")), output)

    async def _begun(self) -> None:
        """Note, once, that ComfyUI has begun it."""
        if self.mark.step is not Step.FOLLOWING:
            await self._note(Step.FOLLOWING)

    async def _check(self, found: Queued, silent_s: float) -> None:
        """Tell the place in the queue; end what waits or runs for too long."""
        if found.running:
            await self._begun()
            if silent_s > self._pace.stall_s:
                await self._give_up(_stalled(self._pace.stall_s))
            return
        self._watchers.report(self._progression.waiting(found.ahead))
        if self._start_by is not None and time.time() > self._start_by[0]:
            await self._give_up(self._start_by[1])

    async def _give_up(self, error: JobError) -> None:
        """Stop it in ComfyUI, make sure that it stopped, and say why."""
        await self.stop()
        raise RunFailed(error)

    # losing

    async def _explain_loss(self) -> None:
        """Return if it must be posted again. Raises RunFailed if somebody removed it."""
        if self.mark.step is Step.FOLLOWING:  # what runs can't be removed: only its record can
            log.warning("prompt %s: ComfyUI forgot it; posting it again", self._id)
            return
        if not await self._patience().ask(self._restarted):
            raise RunFailed(
                JobError(
                    "removed_in_comfyui",
                    "Somebody removed the job from ComfyUI's queue: send it again.",
                )
            )
        log.warning("prompt %s: ComfyUI was restarted; posting it again", self._id)

    async def _restarted(self) -> bool:
        if self._epoch is not None and self._events.connected and self._events.epoch == self._epoch:
            return False  # the same connection since the post: the same process
        return await restarted(self._client, self.mark)


def _stalled(seconds: float) -> JobError:
    return JobError(
        "comfyui_stalled",
        f"ComfyUI made no progress for {seconds:g} s and was stopped: "
        "send it again, or raise PROMPTREEL_COMFYUI_SECONDS.",
    )


def _over(message: Message) -> bool:
    """Whether this is the very last message of a prompt."""
    return isinstance(message, Event) and message.very_last


def _number(record: Json) -> float:
    prompt = record.get("prompt") or [0]
    return prompt[0] if isinstance(prompt[0], (int, float)) else 0
