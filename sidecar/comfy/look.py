"""Where a prompt is now, and taking it out for real. Knows the client; must not know jobs.

The queue is read BEFORE the history, since a prompt moves from one to the other.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from sidecar.values import JobError, Json

from .client import ComfyClient
from .errors import RunFailed

_PAUSE_S = 0.05


@dataclass(frozen=True)
class Queued:
    """A prompt that waits, or runs."""

    number: float
    ahead: int
    running: bool


STUCK = JobError("comfyui_stuck", "ComfyUI does not stop the job: restart ComfyUI.")


async def look(client: ComfyClient, prompt_id: str) -> Queued | Json | None:
    """Return where the prompt is: in the queue, in the history (its record), or nowhere."""
    for place, item in enumerate(await client.queue()):
        if item.prompt_id == prompt_id:
            return Queued(item.number, place, item.running)
    return await client.history(prompt_id)


async def stop(client: ComfyClient, prompt_id: str, stop_s: float) -> None:
    """Take the prompt out of the queue or interrupt it, and make sure that it worked.

    Raises RunFailed if it still runs after `stop_s`: then only a restart of ComfyUI helps.
    """
    loop = asyncio.get_running_loop()
    end = loop.time() + stop_s
    while isinstance(found := await look(client, prompt_id), Queued):
        if found.running:
            await client.interrupt(prompt_id)
        else:
            await client.delete(prompt_id)
        if loop.time() > end:
            raise RunFailed(STUCK)
        await asyncio.sleep(_PAUSE_S)
