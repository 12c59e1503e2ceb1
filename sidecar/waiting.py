"""Waiting for an event, but not for ever.

Not by `asyncio.wait_for`: before Python 3.12 that loses a cancellation which comes at the same time
as the event, and then what was to stop goes on.
"""

from __future__ import annotations

import asyncio


async def happened(event: asyncio.Event, timeout_s: float | None) -> bool:
    """Wait until the event is set; False after the time-out."""
    if event.is_set():
        return True
    waiter = asyncio.ensure_future(event.wait())
    try:
        await asyncio.wait({waiter}, timeout=timeout_s)
    finally:
        waiter.cancel()
    return event.is_set()
