"""What the conformance suite runs against: a row is one way to keep jobs, or one bus."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

from sidecar.bus import EventBus, LocalBus
from sidecar.store import open_store


class Clock:
    """Seconds since the epoch, as the test says."""

    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@asynccontextmanager
async def _sqlite(folder: Path, bus: EventBus, clock: Clock) -> AsyncGenerator:
    async with open_store(folder / "jobs.db", bus, clock) as store:
        yield store


STORES = {"sqlite": _sqlite}
BUSES = {"local": LocalBus}
