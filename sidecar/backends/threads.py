"""Blocking work off the event loop, stopped for real when its task is cancelled.

Must not know what the work is.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Executor
from typing import TypeVar

T = TypeVar("T")


class Stopped(Exception):
    """Raised inside the thread by `Stopper.check` once the work is to stop."""


class Stopper:
    """Tells a thread to stop, at the next place where it looks."""

    def __init__(self) -> None:
        self._stop = threading.Event()

    def stop(self) -> None:
        """Ask the thread to stop."""
        self._stop.set()

    def check(self) -> None:
        """Raise Stopped if asked to."""
        if self._stop.is_set():
            raise Stopped


async def run_stoppable(pool: Executor, work: Callable[[Stopper], T]) -> T:
    """Run `work` in the pool; when cancelled, stop it and wait until the thread is really done."""
    stopper = Stopper()
    running = pool.submit(work, stopper)
    future = asyncio.wrap_future(running)
    try:
        return await asyncio.shield(future)
    except asyncio.CancelledError:
        stopper.stop()
        if not running.cancel():  # it has begun: a future can't stop it, only the stopper can
            await asyncio.wait([future])
            future.exception()  # looked at: it is Stopped, or does not matter any more
        raise
