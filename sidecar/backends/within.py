"""Work that is given up when its time is over, or when something else happens."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class GivenUp(Exception):
    """The work was cancelled; `late`: because its time was over, else because of the event."""

    def __init__(self, *, late: bool) -> None:
        super().__init__()
        self.late = late


async def within(
    work: Coroutine[Any, Any, T],
    seconds: float | None,
    event: asyncio.Event,
    give_up: Callable[[bool], bool],
) -> T:
    """Return the work's result. Raises GivenUp once it has ended after being cancelled.

    `give_up(late)` is asked before: whether the work is really to end (for lateness it must).
    """
    task, rung = asyncio.create_task(work), asyncio.create_task(event.wait())
    try:
        late = await _called_off(task, rung, seconds, give_up)
        if late is None:
            return task.result()
        task.cancel()
        await asyncio.wait({task})
        if task.cancelled():
            raise GivenUp(late=late)
        return task.result()
    except asyncio.CancelledError:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        raise
    finally:
        rung.cancel()


async def _called_off(
    task: asyncio.Task[T],
    rung: asyncio.Task[bool],
    seconds: float | None,
    give_up: Callable[[bool], bool],
) -> bool | None:
    """Wait until the task ends (None), or is to be given up: whether because it is late."""
    loop = asyncio.get_running_loop()
    end = None if seconds is None else loop.time() + seconds
    waited: set[asyncio.Task[Any]] = {task, rung}
    while True:
        left = None if end is None else max(end - loop.time(), 0.0)
        done, _ = await asyncio.wait(waited, timeout=left, return_when=asyncio.FIRST_COMPLETED)
        if task in done:
            return None
        if give_up(not done) or not done:
            return not done
        waited.discard(rung)  # said no: it is not asked again
