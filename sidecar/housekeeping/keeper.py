"""Deletes what is old, what is too much, and what is nobody's; now and then, a little at a time.

Never what an unfinished job needs, what is being sent, or what was used a moment ago: between a
look at a picture and the job that names it no file may go. Knows jobs, media and inputs as
protocols. Must not know HTTP or SQLite; nothing here blocks the event loop.
"""

from __future__ import annotations

import asyncio
import logging
import re
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Collection, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import islice
from typing import Protocol

from sidecar.disk import report
from sidecar.jobs import Job
from sidecar.media import MediaStore, Stored
from sidecar.settings import Settings

log = logging.getLogger(__name__)

DAY_S = 86400.0
_BATCH = 100  # files or jobs deleted in one go
_MADE = re.compile(r"([0-9a-f]{32})-(\d+)-")  # a key that an attempt of a job made


@dataclass(frozen=True)
class Keep:
    """How long and how much is kept; None: no limit. `young_s`: what is spared always.

    `inputs_s`: how long a picture that no job needs stays in ComfyUI's input folder.
    """

    media_s: float | None = None
    media_bytes: int | None = None
    jobs_s: float | None = None
    young_s: float = 600.0
    inputs_s: float = 60.0
    pause_s: float = 30.0
    leftovers_s: float = 600.0  # between two looks for leftovers, which read more


class Books(Protocol):
    """What is asked of the store of jobs."""

    async def get(self, job_id: str) -> Job | None:
        """Return the job, or None."""
        ...

    async def expired(self, *, finished_before: float, limit: int) -> list[Job]:
        """Return jobs that ended before then, the oldest first."""
        ...

    async def forget(self, job_ids: Collection[str]) -> int:
        """Delete ended jobs; return how many."""
        ...

    async def in_use(self, *, finished: bool = True) -> frozenset[str]:
        """Return the media keys that jobs need, or unfinished ones alone."""
        ...


class Placed(Protocol):
    """The pictures that lie in one ComfyUI's input folder because of us."""

    async def clear(self, needed: Collection[str], older_s: float) -> int:
        """Delete those that are not needed and were placed longer ago; return how many."""
        ...


def keep_of(settings: Settings) -> Keep:
    """Return what the settings ask for; their 0 means never."""
    return Keep(
        settings.keep_days * DAY_S or None,
        int(settings.keep_gb * (1 << 30)) or None,
        settings.keep_jobs_days * DAY_S or None,
    )


class Keeper:
    """Keeps house for the time of `keeping`. `clock`: seconds since the epoch.

    `begin` is waited for first: until it is known where inputs lie.
    """

    def __init__(
        self,
        books: Books,
        media: MediaStore,
        inputs: Callable[[], Iterable[Placed]],
        keep: Keep,
        clock: Callable[[], float] = time.time,
        *,
        begin: Callable[[], Awaitable[object]] | None = None,
    ) -> None:
        self._books = books
        self._media = media
        self._inputs = inputs
        self._keep = keep
        self._clock = clock
        self._begin = begin
        self._looked_at = float("-inf")

    @asynccontextmanager
    async def keeping(self) -> AsyncGenerator[None, None]:
        """Keep house now and then for the time of the block."""
        task = asyncio.create_task(self._again_and_again(), name="housekeeping")
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _again_and_again(self) -> None:
        if self._begin is not None:
            await self._begin()
        while True:
            try:
                await self.tidy()
            except Exception as error:  # noqa: BLE001  an edge: a full disk must not end it for ever
                report(log, error, "house-keeping failed; trying again")
            await asyncio.sleep(self._keep.pause_s)

    async def tidy(self) -> None:
        """Delete what is to go now."""
        await self._forget_old_jobs()
        stored = await self._media.listing()
        spared = await self._books.in_use(finished=False)
        too_old = await asyncio.to_thread(self._too_old, stored, spared)
        gone = await self._discard(too_old, "old files")
        too_much = await asyncio.to_thread(self._too_much, stored, spared, gone)
        gone |= await self._discard(too_much, "files beyond the limit")
        await self._discard(
            [one for one in await self._leftovers(stored) if one.key not in gone], "leftovers"
        )
        for placed in self._inputs():
            await placed.clear(spared, self._keep.inputs_s)

    async def _forget_old_jobs(self) -> None:
        """Forget jobs; what they made goes as a leftover."""
        if self._keep.jobs_s is None:
            return
        before = self._clock() - self._keep.jobs_s
        while jobs := await self._books.expired(finished_before=before, limit=_BATCH):
            gone = await self._books.forget([job.id for job in jobs])
            log.info("house-keeping: %d finished jobs forgotten", gone)
            if not gone:
                return

    def _too_old(self, stored: Iterable[Stored], spared: Collection[str]) -> list[Stored]:
        if self._keep.media_s is None:
            return []
        before = self._clock() - max(self._keep.media_s, self._keep.young_s)
        return [one for one in stored if one.used_at < before and one.key not in spared]

    def _too_much(
        self, stored: Iterable[Stored], spared: Collection[str], gone: Collection[str]
    ) -> list[Stored]:
        """Return the longest unused files without which the rest is within the limit."""
        if self._keep.media_bytes is None:
            return []
        stored = [one for one in stored if one.key not in gone]
        over = sum(one.size for one in stored) - self._keep.media_bytes
        before = self._clock() - self._keep.young_s
        chosen: list[Stored] = []
        for one in sorted(stored, key=lambda one: one.used_at):
            if over <= 0 or one.used_at >= before:
                break
            if one.key not in spared:
                chosen.append(one)
                over -= one.size
        return chosen

    async def _leftovers(self, stored: Iterable[Stored]) -> list[Stored]:
        """Return what attempts made that nobody names: they were killed, or the job is forgotten.

        A file younger than `young_s` is spared, and one of an attempt that is under way.
        """
        if self._clock() - self._looked_at < self._keep.leftovers_s:
            return []
        self._looked_at = self._clock()
        before = self._clock() - self._keep.young_s

        def made(named: Collection[str]) -> list[Stored]:
            old = (one for one in stored if one.used_at < before and one.key not in named)
            return [one for one in old if _MADE.match(one.key)]

        if not await asyncio.to_thread(made, ()):
            return []
        suspects = await asyncio.to_thread(made, await self._books.in_use())
        return [one for one in suspects if not await self._making(one.key)]

    async def _making(self, key: str) -> bool:
        match = _MADE.match(key)
        job = await self._books.get(match[1]) if match else None
        if job is None or match is None or job.state.terminal:
            return False
        return int(match[2]) == job.attempt

    async def _discard(self, chosen: Collection[Stored], what: str) -> set[str]:
        """Delete in batches; return the keys that were to go."""
        files, total = iter(chosen), 0
        while batch := list(islice(files, _BATCH)):
            total += await self._media.discard(batch)
            await asyncio.sleep(0)
        if total:
            log.info("house-keeping: %d %s deleted", total, what)
        return {one.key for one in chosen}
