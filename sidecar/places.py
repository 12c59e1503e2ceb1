"""Places in the queue for all who ask: counted for everybody at once, and remembered for a moment.

Counting takes milliseconds where a thousand jobs wait, and hundreds of clients may ask in a second.
Must not know requests, or how jobs are kept.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from .jobs import Job, JobStore
from .values import JobState

_FRESH_S = 0.25


class Places:
    """Tells how many jobs are before a queued one."""

    def __init__(self, store: JobStore) -> None:
        self._store = store
        self._places: Mapping[str, int] = {}
        self._counted = 0.0
        self._counting = asyncio.Lock()

    async def of(self, job: Job, fresh_s: float = _FRESH_S) -> int | None:
        """Return a job's place, counted at most `fresh_s` ago; None if it is not queued."""
        if job.state is not JobState.QUEUED:
            return None
        clock = asyncio.get_running_loop().time
        async with self._counting:
            if job.id not in self._places or clock() - self._counted >= fresh_s:
                self._places = await self._store.positions()
                self._counted = clock()
        return self._places.get(job.id)
