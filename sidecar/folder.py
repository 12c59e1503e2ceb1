"""The data folder, and whether this process is alone on it.

The claim is a lock of SQLite's own, which every system releases when a process dies.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path


@asynccontextmanager
async def claimed(folder: Path) -> AsyncGenerator[bool, None]:
    """Make the folder and hold the claim on it; False if another process has it already."""
    lock = await asyncio.to_thread(_connect, folder)
    try:
        yield await asyncio.to_thread(_claim, lock)
    finally:
        await asyncio.to_thread(lock.close)


def _connect(folder: Path) -> sqlite3.Connection:
    folder.mkdir(parents=True, exist_ok=True)
    return sqlite3.connect(
        folder / "claim.db", timeout=0, isolation_level=None, check_same_thread=False
    )


def _claim(lock: sqlite3.Connection) -> bool:
    try:
        lock.execute("begin exclusive")
    except sqlite3.OperationalError:
        return False
    return True
