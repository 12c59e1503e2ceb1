"""Takes snapshots: asks the store, the pool and the disk; what is slow is asked now and then only.

Knows whom to ask, as protocols. Must not know metrics or requests.
"""

from __future__ import annotations

import asyncio
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from sidecar.http.bodies import ServerBody
from sidecar.media import Stored

from .snapshot import Snapshot, Unfinished

_DISK_S = 60.0  # between two looks at every file


class Queues(Protocol):
    """What is asked of the store of jobs."""

    async def unfinished(self) -> list[tuple[str, str, str, int, float]]:
        """Return lane, state, pipeline, count, and since when, of jobs that wait or run."""
        ...


class Waiting(Protocol):
    """What is asked of the outbox."""

    async def pending(self) -> int:
        """Count the webhooks that are still to be told."""
        ...


class Files(Protocol):
    """What is asked of the media store."""

    async def listing(self) -> list[Stored]:
        """Return every file."""
        ...


class Snapshots:
    """`servers` and `event_clients` are asked each time; `folder`: where the media store lies."""

    def __init__(
        self,
        queues: Queues,
        outbox: Waiting,
        media: Files,
        folder: Path,
        *,
        lanes: tuple[str, ...],
        servers: Callable[[], list[ServerBody]],
        event_clients: Callable[[], int],
    ) -> None:
        self._queues = queues
        self._outbox = outbox
        self._media = media
        self._folder = folder
        self._lanes = lanes
        self._servers = servers
        self._event_clients = event_clients
        self._disk = (0, 0)
        self._looked_at = float("-inf")

    async def take(self) -> Snapshot:
        """Return how things stand."""
        files, size = await self._stored()
        free = (await asyncio.to_thread(shutil.disk_usage, self._folder)).free
        return Snapshot(
            time.time(),
            tuple(Unfinished(*row) for row in await self._queues.unfinished()),
            self._lanes,
            tuple(self._servers()),
            self._event_clients(),
            await self._outbox.pending(),
            files,
            size,
            free,
        )

    async def _stored(self) -> tuple[int, int]:
        if time.monotonic() - self._looked_at >= _DISK_S:
            self._looked_at = time.monotonic()
            files = await self._media.listing()
            self._disk = len(files), sum(one.size for one in files)
        return self._disk
