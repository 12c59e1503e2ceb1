"""Hints that a job changed: told to whoever listens for it, lossy, never waiting for a listener.

The store is the truth: who hears nothing for a while, or misses a hint, reads it again. A listener
holds a bounded number of hints whatever happens: of progress and previews only the latest.
Knows nothing of HTTP or stores.
"""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

from .http.bodies import PreviewBody
from .waiting import happened

STATUS, PROGRESS, PREVIEW, WAKE = "status", "progress", "preview", "wake"
_MOST = 32  # hints of changed states that a listener holds; a job has hardly more


@dataclass(frozen=True)
class Hint:
    """What happened to a job. `data`: the Job as it then was, or a Preview; None: ask the store."""

    job_id: str
    kind: str
    data: object = None


@dataclass(frozen=True)
class Preview:
    """A small picture of what is being made."""

    data: bytes
    mime: str = "image/jpeg"

    @cached_property
    def text(self) -> str:
        """The picture as JSON, made once for all who get it."""
        data = base64.b64encode(self.data).decode("ascii")
        body: PreviewBody = {"mime": self.mime, "data": data}
        return json.dumps(body)


class Listener(Protocol):
    """One who listens."""

    async def heard(self, timeout_s: float) -> list[Hint]:
        """Wait for hints and take them, the oldest first; none after the time-out."""
        ...


class EventBus(Protocol):
    """At most once, in order for each job; a gap means: read the store."""

    def publish(self, job_id: str, kind: str, data: object = None) -> None:
        """Tell who listens; never blocks, never raises."""
        ...

    def publish_all(self, kind: str) -> None:
        """Wake everybody: the service is closing."""
        ...

    def listen(self, job_id: str) -> AbstractAsyncContextManager[Listener]:
        """Hear of one job for the time of the block; what came before is not told."""
        ...


class _Ear:
    """A listener in this process."""

    def __init__(self) -> None:
        self._hints: dict[object, Hint] = {}
        self._rung = asyncio.Event()
        self._count = 0

    def tell(self, hint: Hint) -> None:
        """Keep the hint: a state beside the others, anything else instead of the last one."""
        self._count += 1
        key = (STATUS, self._count) if hint.kind == STATUS else hint.kind
        self._hints.pop(key, None)
        self._hints[key] = hint
        if len(self._hints) > _MOST:
            del self._hints[next(iter(self._hints))]
        self._rung.set()

    async def heard(self, timeout_s: float) -> list[Hint]:
        """Wait for hints and take them, the oldest first; none after the time-out."""
        if not await happened(self._rung, timeout_s):
            return []
        hints = list(self._hints.values())
        self._hints.clear()
        self._rung.clear()
        return hints


class LocalBus:
    """The bus of one process."""

    def __init__(self) -> None:
        self._ears: dict[str, set[_Ear]] = {}

    def publish(self, job_id: str, kind: str, data: object = None) -> None:
        """Tell who listens; never blocks, never raises."""
        ears = self._ears.get(job_id)
        if ears:
            hint = Hint(job_id, kind, data)
            for ear in ears:
                ear.tell(hint)

    def publish_all(self, kind: str) -> None:
        """Wake everybody: the service is closing."""
        for job_id in self._ears:
            self.publish(job_id, kind)

    @asynccontextmanager
    async def listen(self, job_id: str) -> AsyncGenerator[Listener, None]:
        """Hear of one job for the time of the block; what came before is not told."""
        ear = _Ear()
        self._ears.setdefault(job_id, set()).add(ear)
        try:
            yield ear
        finally:
            ears = self._ears[job_id]
            ears.discard(ear)
            if not ears:
                del self._ears[job_id]
