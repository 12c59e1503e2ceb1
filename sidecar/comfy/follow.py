"""One prompt on one ComfyUI: posted once, followed to its end, or stopped for real.

The algorithm of comfyui.md section 5: the caller has stored the prompt id before; an answer that
was lost means "unknown", so look before posting again with the same id; queue BEFORE history, since
a prompt moves from one to the other; web-socket messages only wake and show progress. A prompt in
neither place in two consecutive looks is lost: posted again if ComfyUI was restarted, a failure if
somebody removed it. Must not know jobs or pipelines.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from sidecar.values import JobError, Json, Progress

from .client import ComfyClient
from .errors import Rejected, RunFailed, UnknownOutcome, Unreachable
from .events import Event, Events, Message, Subscription
from .progress import Progression
from .shapes import an_object

log = logging.getLogger(__name__)
T = TypeVar("T")


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
    posts: int = 3  # how often one prompt is posted at most


@dataclass(frozen=True)
class Queued:
    """A prompt that waits, or runs."""

    number: float
    ahead: int
    running: bool


@dataclass(frozen=True)
class Finished:
    """What became of a prompt: the answer to its post, and its history record."""

    answer: Json
    record: Json


async def look(client: ComfyClient, prompt_id: str) -> Queued | Json | None:
    """Return where the prompt is: in the queue, in the history (its record), or nowhere."""
    for place, item in enumerate(await client.queue()):
        if item.prompt_id == prompt_id:
            return Queued(item.number, place, item.running)
    return await client.history(prompt_id)


class PromptRun:
    """Runs one prompt; `report` gets its progress, `told` what each node says that it made."""

    def __init__(
        self,
        client: ComfyClient,
        events: Events,
        prompt_id: str,
        graph: Mapping[str, Json],
        *,
        pace: Pace,
        report: Callable[[Progress], None],
        told: Callable[[str, Json], None] | None = None,
    ) -> None:
        self._client = client
        self._events = events
        self._id = prompt_id
        self._graph = graph
        self._pace = pace
        self._report = report
        self._told = told
        self._progression = Progression(graph)
        self._answer: Json | None = None
        self._epoch: int | None = None

    async def finish(self, *, posted_before: bool) -> Finished:
        """Run to the end. `posted_before`: an earlier process may have posted it already.

        Raises RunFailed, Rejected, Unreachable (away for too long) or another ComfyError.
        """
        with self._events.subscribe(self._id) as subscription:
            if posted_before:
                self._answer = await self._find()
            else:
                await self._events.ready(self._pace.socket_s)
            for _ in range(self._pace.posts):
                if self._answer is None:
                    self._answer = await self._post()
                record = await self._follow(subscription)
                if record is not None:
                    return Finished(self._answer, record)
                await self._explain_loss()
                self._answer = None
        raise RunFailed(
            JobError(
                "comfyui_restarted",
                "ComfyUI was restarted again and again while it made the video: send it again.",
            )
        )

    async def stop(self) -> None:
        """Take the prompt out of the queue or interrupt it, and make sure that it worked.

        Raises RunFailed if it still runs after `stop_s`: then only a restart of ComfyUI helps.
        """
        loop = asyncio.get_running_loop()
        end = loop.time() + self._pace.stop_s
        while True:
            found = await look(self._client, self._id)
            if not isinstance(found, Queued):
                return
            if found.running:
                await self._client.interrupt(self._id)
            else:
                await self._client.delete(self._id)
            if loop.time() > end:
                raise RunFailed(
                    JobError("comfyui_stuck", "ComfyUI does not stop the job: restart ComfyUI.")
                )
            await asyncio.sleep(0.05)

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
        try:
            return await _Patience(self._pace.away_s).ask(self._submit)
        except UnknownOutcome:
            log.warning("prompt %s: the answer was lost; looking", self._id)
            return await self._find(settle_s=self._pace.settle_s)
        except Rejected:
            await self.stop()  # a 200 with node_errors has queued the rest
            raise

    async def _submit(self) -> Json:
        """Post once. Cancelled in the middle, it waits for the answer before it lets go."""
        sent_at = asyncio.get_running_loop().time()
        self._epoch = self._events.epoch if self._events.connected else None
        post = asyncio.create_task(
            self._client.submit(
                self._graph,
                prompt_id=self._id,
                client_id=self._events.client_id,
                extra_data={},
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

    async def _find(self, settle_s: float = 0.0) -> Json | None:
        """Look for a prompt that may have been posted; return the answer it must have got."""
        loop = asyncio.get_running_loop()
        patience, end = _Patience(self._pace.away_s), loop.time() + settle_s
        while True:
            found = await patience.ask(lambda: look(self._client, self._id))
            if found is not None:
                number = found.number if isinstance(found, Queued) else _number(found)
                return {"prompt_id": self._id, "number": number, "node_errors": {}}
            if loop.time() >= end:
                return None
            await asyncio.sleep(min(0.25, settle_s))

    # following

    async def _follow(self, subscription: Subscription) -> Json | None:
        """Return the history record; None if the prompt is lost."""
        loop = asyncio.get_running_loop()
        patience = _Patience(self._pace.away_s)
        look_at = sign_at = loop.time() + self._pace.poll_s
        absent = False
        while True:
            message = await subscription.next(max(look_at - loop.time(), 0.0))
            now = loop.time()
            if message is not None and not _over(message):
                self._take(message)
                look_at, sign_at = now + self._pace.poll_s, now
                continue
            found = await patience.ask(self._ended if message else self._look)
            if not isinstance(found, Queued) and found is not None:
                return found
            if found is None and absent:
                return None
            absent = found is None
            look_at = loop.time() + (self._pace.absent_s if absent else self._pace.poll_s)
            if isinstance(found, Queued):
                sign_at = sign_at if found.running else loop.time()
                await self._check_stall(found, loop.time() - sign_at)

    async def _ended(self) -> Queued | Json | None:
        """Look after the last message: then the history is complete (comfyui.md 5)."""
        return await self._client.history(self._id) or await self._look()

    async def _look(self) -> Queued | Json | None:
        return await look(self._client, self._id)

    def _take(self, message: Message) -> None:
        if not isinstance(message, Event):
            return
        progress = self._progression.take(message)
        if progress is not None:
            self._report(progress)
        if message.type == "executed" and self._told is not None:
            self._told(str(message.data.get("node")), an_object(message.data.get("output")))

    async def _check_stall(self, found: Queued, silent_s: float) -> None:
        """Tell the place in the queue, or end what runs without a sign of progress."""
        if not found.running:
            self._report(self._progression.waiting(found.ahead))
        elif silent_s > self._pace.stall_s:
            await self.stop()
            raise RunFailed(
                JobError(
                    "comfyui_stalled",
                    f"ComfyUI made no progress for {self._pace.stall_s:g} s and was stopped: "
                    "send it again, or raise PROMPTREEL_COMFYUI_SECONDS.",
                )
            )

    # losing

    async def _explain_loss(self) -> None:
        """Return if ComfyUI was restarted. Raises RunFailed if somebody removed the prompt."""
        if not await _Patience(self._pace.away_s).ask(self._restarted):
            raise RunFailed(
                JobError(
                    "removed_in_comfyui",
                    "Somebody removed the job from ComfyUI's queue: send it again.",
                )
            )
        log.warning("prompt %s: ComfyUI was restarted; posting it again", self._id)

    async def _restarted(self) -> bool:
        """Whether ComfyUI lost its memory: another process, or its numbers began anew."""
        if self._epoch is not None and self._events.connected and self._events.epoch == self._epoch:
            return False  # the same connection since the post: the same process
        own = (self._answer or {}).get("number")
        if own is None:
            return True
        numbers = [abs(item.number) for item in await self._client.queue()]
        newest = await self._client.newest()
        numbers += [abs(_number(newest))] if newest else []
        return not any(number > abs(own) for number in numbers)


class _Patience:
    """Asks until there is an answer, for as long as the server may be away."""

    def __init__(self, away_s: float) -> None:
        self._away_s = away_s

    async def ask(self, question: Callable[[], Awaitable[T]]) -> T:
        """Return the answer. Raises what else goes wrong, and Unreachable in the end."""
        loop = asyncio.get_running_loop()
        pause, end, told = 0.1, loop.time() + self._away_s, False
        while True:
            try:
                return await question()
            except Unreachable as error:
                if loop.time() + pause > end:
                    raise
                if not told:
                    log.warning("%s Waiting up to %.0f s for it.", error, self._away_s)
                told = True
            await asyncio.sleep(pause)
            pause = min(pause * 2, 2.0)


def _over(message: Message) -> bool:
    """Whether this is the very last message of a prompt."""
    return isinstance(message, Event) and message.type == "executing" and message.terminal


def _number(record: Json) -> float:
    prompt = record.get("prompt") or [0]
    return prompt[0] if isinstance(prompt[0], (int, float)) else 0
