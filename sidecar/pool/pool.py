"""The pool: looks at its servers now and then, and gives each job to one of them.

What it knows is as of the last look; whoever runs a job finds out for itself whether its server
answers. Knows servers and jobs. Must not know HTTP routes, or how a job runs.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Callable, Collection, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from sidecar.backends.catalog import ServerCatalog
from sidecar.backends.ledger import read_ledger
from sidecar.comfy.errors import ComfyError, RunFailed
from sidecar.comfy.look import stop
from sidecar.errors import ApiError
from sidecar.http.bodies import ServerBody
from sidecar.jobs import Job
from sidecar.room import Changes, Seat
from sidecar.values import keyed
from sidecar.waiting import happened

from .choose import Standing, Wish, choose, could_run
from .member import Member
from .rows import ServerRow

log = logging.getLogger(__name__)

_STOP_S = 5.0  # for a prompt that was given up to stop


@dataclass(frozen=True)
class Watch:
    """How often servers are looked at, in seconds; `away_s`: the grace time of one that is away."""

    look_s: float = 5.0
    away_look_s: float = 1.0
    away_s: float = 120.0
    idle_s: float = 600.0  # after which a server that only requests named is forgotten


class Pool:
    """The servers that the operator named, and those that requests named. `clock` in seconds.

    `most`: jobs at once of a server that only a request named.
    """

    def __init__(
        self,
        rows: Sequence[ServerRow],
        catalog: ServerCatalog,
        *,
        most: int = 2,
        watch: Watch | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._catalog = catalog
        self._most = most
        self._watch = watch or Watch()
        self._clock = clock
        self._own = {row.url: Member(row, clock()) for row in rows}
        self._guests: dict[str, Member] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._changed = Changes()
        self._watching = False
        self._waiting: set[str] = set()  # pipelines of jobs that found no room

    @asynccontextmanager
    async def watching(self) -> AsyncGenerator[None, None]:
        """Look at the servers for the time of the block."""
        self._watching = True
        for member in self._own.values():
            self._look_after(member)
        try:
            yield
        finally:
            self._watching = False
            for task in self._tasks.values():
                task.cancel()
            await asyncio.gather(*self._tasks.values(), return_exceptions=True)
            self._tasks.clear()

    # what the service asks

    @property
    def rows(self) -> list[ServerRow]:
        """The servers that share the work."""
        return [member.row for member in self._own.values()]

    def alive(self) -> list[str]:
        """Return the addresses of those that answered at the last look."""
        return [url for url, member in self._own.items() if member.alive]

    async def looked(self, timeout_s: float = 15.0) -> None:
        """Wait until each server has been looked at once, or the time-out."""
        end = self._clock() + timeout_s
        while any(member.alive is None for member in self._own.values()):
            left = end - self._clock()
            if left <= 0:
                return
            await self._changed.wait(left)

    async def ask_all(self) -> list[str]:
        """Return the addresses of those that answer now."""
        urls = list(self._own)
        answers = await asyncio.gather(*map(self._catalog.alive, urls))
        return [url for url, answer in zip(urls, answers, strict=True) if answer]

    def describe(self) -> list[ServerBody]:
        """Return what GET /api/servers tells: health, queue, and what each can run."""
        now = self._clock()
        return [member.described(now) for member in self._own.values()]

    # room for jobs

    async def free(self) -> None:
        """Wait until a server has room, or for a moment: a request may name one of its own."""
        if not any(self._has_room(member) for member in self._own.values()):
            await self._changed.wait(0.5)

    def blocked(self) -> Collection[str]:
        """Return the routes of jobs that there is no room for now."""
        servers = self._standings()
        names = self._catalog.keys() | self._waiting
        blocked = {f" {name}" for name in names if choose(Wish(name), servers) is None}
        for member in (*self._own.values(), *self._guests.values()):
            if len(member.ours) >= member.row.most:
                blocked |= {f"{member.url} {name}" for name in names}
        return blocked

    def take(self, job: Job) -> Seat | None:
        """Give the job a server; None if it must wait."""
        wish = _wish(job)
        if wish.pinned:
            self._guest(wish.pinned)
        url = choose(wish, self._standings(wish.pinned))
        if url is None:
            self._waiting.add(wish.pipeline)  # it may be published nowhere any more
            return None
        member = self._member(url)
        member.ours.add(job.id)
        member.last = wish.pipeline
        member.used_at = self._clock()
        return Seat(url, lambda: self._left_seat(member, job.id))

    async def changed(self, timeout_s: float) -> None:
        """Wait until something got free, or the time-out."""
        await self._changed.wait(timeout_s)

    # what running jobs ask and tell

    def others(self, job: Job, url: str) -> bool:
        """Whether another server could run the job."""
        return could_run(_wish(job), self._standings(), url)

    def leaving(self, url: str) -> asyncio.Event:
        """Return what is set when the server is stuck: what waits there should go."""
        return self._member(url).leaving

    def stuck(self, url: str, prompt_id: str) -> None:
        """Say that the server does not stop the prompt."""
        log.warning("ComfyUI at %s does not stop a job: it gets no more of them", url)
        self._member(url).is_stuck(prompt_id)

    def lost(self, url: str) -> None:
        """Say that a job has waited the grace time for it: what it may have begun goes elsewhere.

        A job may notice a death seconds before the next look does, and must not be sent back.
        """
        self._member(url).is_lost(self._clock())
        self._changed.tell()

    def left(self, url: str, prompt_id: str) -> None:
        """Say that the prompt was given up there: to be stopped when the server is back."""
        member = self._own.get(url) or self._guests.get(url)
        if member is not None:
            member.left.add(prompt_id)

    # within

    def _member(self, url: str) -> Member:
        return self._own.get(url) or self._guest(url)

    def _guest(self, url: str) -> Member:
        """Return the server that only a request named; it is looked at from now on."""
        if url in self._own:
            return self._own[url]
        if url not in self._guests:
            row = ServerRow(url, url.partition("://")[2], self._most, named=False)
            self._guests[url] = Member(row, self._clock(), used_at=self._clock())
            self._look_after(self._guests[url])
        return self._guests[url]

    def _standings(self, pinned: str = "") -> list[Standing]:
        members = list(self._own.values())
        if pinned in self._guests:
            members.append(self._guests[pinned])
        now = self._clock()
        return [member.standing(now, self._watch.away_s) for member in members]

    def _has_room(self, member: Member) -> bool:
        return bool(member.alive) and not member.stuck and len(member.ours) < member.row.most

    def _left_seat(self, member: Member, job_id: str) -> None:
        member.ours.discard(job_id)
        member.used_at = self._clock()
        self._changed.tell()

    # looking

    def _look_after(self, member: Member) -> None:
        if self._watching and member.url not in self._tasks:
            self._tasks[member.url] = asyncio.create_task(
                self._look_again_and_again(member), name=f"look-{member.row.name}"
            )

    async def _look_again_and_again(self, member: Member) -> None:
        watch = self._watch
        while not self._is_idle(member):
            try:
                await self._look(member)
            except Exception:  # an edge: a strange answer must not end the looking
                log.exception("looking at ComfyUI at %s failed", member.url)
            pause_s = watch.look_s if member.alive else watch.away_look_s
            await happened(member.look_now, pause_s)
            member.look_now.clear()
        del self._guests[member.url], self._tasks[member.url]

    def _is_idle(self, member: Member) -> bool:
        idle_s = self._clock() - member.used_at
        return member.url in self._guests and not member.ours and idle_s > self._watch.idle_s

    async def _look(self, member: Member) -> None:
        """Find out how the server is."""
        alive = await self._catalog.alive(member.url)
        before = (member.runs, member.stuck)
        if alive:
            alive = await self._learn(member)
        else:
            member.is_well()  # what it did not stop ended with it, or is found again
        news = member.seen(alive=alive, now=self._clock())
        if news and (member.row.named or alive):
            log.info("ComfyUI at %s %s", member.url, "answers" if alive else "does not answer")
        if news or (member.runs, member.stuck) != before:
            self._changed.tell()

    async def _learn(self, member: Member) -> bool:
        """Ask a server that answers for what it has and does; False if it stopped answering."""
        client = self._catalog.client(member.url)
        if member.alive is False:
            self._catalog.forget(member.url)  # it may have come back as another
        try:
            await self._catalog.look(member.url)
            await self._catalog.learn(member.url)
            member.depth = await client.queue_remaining()
            if member.lost:
                await client.queue()  # what jobs ask for: it must not get them back by half
            await self._stop_left(member)
            if member.stuck and not await self._still_stuck(member):
                member.is_well()
        except (ApiError, ComfyError):
            return False
        member.runs = self._catalog.runs(member.url)
        member.version = self._catalog.version(member.url)
        return True

    async def _stop_left(self, member: Member) -> None:
        """Stop what was given up while the server was away: it runs elsewhere now."""
        for prompt_id in list(member.left):
            try:
                await stop(self._catalog.client(member.url), prompt_id, _STOP_S)
            except RunFailed:
                member.is_stuck(prompt_id)
            member.left.discard(prompt_id)

    async def _still_stuck(self, member: Member) -> bool:
        queue = await self._catalog.client(member.url).queue()
        return any(item.running and item.prompt_id == member.stuck for item in queue)


def _wish(job: Job) -> Wish:
    payload = job.spec.payload
    ledger = read_ledger(job.ledger)
    begun = ledger.server if ledger.mark is not None else ""
    pipeline = keyed(str(payload.get("pipeline")), payload.get("kept"))
    return Wish(pipeline, str(payload.get("server") or ""), begun)
