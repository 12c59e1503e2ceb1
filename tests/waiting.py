"""Waiting in tests for what another process or server does, which no event of ours tells."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")


async def eventually(condition: Callable[[], object], seconds: float = 30.0) -> None:
    """Wait until the condition holds; raise TimeoutError if it never does."""

    async def look() -> bool:
        return bool(condition())

    await found(look, seconds, pause=0.005)


async def found(
    look: Callable[[], Awaitable[T | None]], seconds: float = 30.0, pause: float = 0.05
) -> T:
    """Return what `look` gives as soon as it is something; raise TimeoutError if it never is."""

    async def wait() -> T:
        while not (seen := await look()):  # noqa: ASYNC110  what is looked at has no event
            await asyncio.sleep(pause)
        return seen

    return await asyncio.wait_for(wait(), seconds)
