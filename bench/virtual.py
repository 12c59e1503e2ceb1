"""An event loop whose time jumps to the next timer, and a database without a thread.

What runs in it runs in one thread and in virtual time, so that the same seed gives the same run.
"""

from __future__ import annotations

import asyncio
import selectors
import sqlite3
from collections.abc import Coroutine, Mapping
from typing import Any, TypeVar

T = TypeVar("T")


class _Jump(selectors.SelectSelector):
    """Never waits: tells the clock how long it would have."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise RuntimeError("everything waits for something that can't happen")
        self.now += max(timeout, 0.0)
        return super().select(0)


class VirtualLoop(asyncio.SelectorEventLoop):
    """Seconds pass when nothing else is left to do."""

    def __init__(self) -> None:
        self._jump = _Jump()
        super().__init__(self._jump)

    def time(self) -> float:
        return self._jump.now


def run(main: Coroutine[Any, Any, T]) -> T:
    """Run it in virtual time, and end what it left behind."""
    loop = VirtualLoop()
    try:
        return loop.run_until_complete(main)
    finally:
        rest = asyncio.all_tasks(loop)
        for task in rest:
            task.cancel()
        if rest:
            loop.run_until_complete(asyncio.gather(*rest, return_exceptions=True))
        loop.close()


class Database:
    """What the store needs of aiosqlite, at once and in memory."""

    def __init__(self) -> None:
        self._db = sqlite3.connect(":memory:", isolation_level=None)
        self._db.row_factory = sqlite3.Row

    async def execute_fetchall(
        self, sql: str, parameters: Mapping[str, object] | None = None
    ) -> list[sqlite3.Row]:
        return self._db.execute(sql, parameters or {}).fetchall()

    async def executescript(self, sql: str) -> None:
        self._db.executescript(sql)
