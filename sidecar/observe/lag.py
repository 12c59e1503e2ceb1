"""How late the event loop wakes up: what every request waits more when something blocks it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from .meter import Meter

_EVERY_S = 0.5


@asynccontextmanager
async def measuring(meter: Meter, every_s: float = _EVERY_S) -> AsyncGenerator[None, None]:
    """Measure for the time of the block."""
    task = asyncio.create_task(_measure(meter, every_s), name="lag")
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _measure(meter: Meter, every_s: float) -> None:
    clock = asyncio.get_running_loop().time
    while True:
        due = clock() + every_s
        await asyncio.sleep(every_s)
        meter.lagged(max(clock() - due, 0.0))
