"""The built-in engine as a backend: a real video on any machine, in a bounded pool of threads.

Threads suffice because the engine leaves the GIL to others while it works. Must not know HTTP.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor
from pathlib import Path

from sidecar.media import MediaStore
from sidecar.values import JobError, Outputs, Progress

from .base import BackendError, RunContext
from .threads import Stopper, run_stoppable

_GONE = JobError("picture_gone", "The picture is no longer stored: upload it again.", status=400)


class DemoBackend:
    """Renders with the engine, in `pool`."""

    def __init__(self, media: MediaStore, pool: Executor) -> None:
        self._media = media
        self._pool = pool

    async def run(self, context: RunContext) -> Outputs:
        """Make the video and its first frame, and keep both. Raises BackendError."""
        if await self._media.stat(context.request.image) is None:
            raise BackendError(_GONE)
        async with self._media.local(context.request.image) as source:
            return await self._run(context, source)

    async def _run(self, context: RunContext, source: Path) -> Outputs:
        outputs = Outputs(
            context.output_key("image.png"), context.output_key("video.mp4"), demo=True
        )
        async with self._media.scratch() as folder:
            image, video = folder / "image.png", folder / "video.mp4"
            tell, show = _reporter(context), _shower(context)

            def work(stopper: Stopper) -> None:
                from . import worker  # noqa: PLC0415  loads the engine: not on the event loop

                def report(done: int, total: int) -> None:
                    stopper.check()
                    tell(done, total)

                worker.render(source, context.request, image, video, report, preview=show)

            await run_stoppable(self._pool, work)
            await self._media.put_file(outputs.image, image)
            await self._media.put_file(outputs.video, video)
        return outputs


def _shower(context: RunContext) -> Callable[[bytes], None]:
    """Return a function for the render thread that shows a JPEG."""
    loop = asyncio.get_running_loop()

    def show(data: bytes) -> None:
        loop.call_soon_threadsafe(context.preview, data, "image/jpeg")

    return show


def _reporter(context: RunContext) -> Callable[[int, int], None]:
    """Return a function for the render thread that reports frames on the event loop."""
    loop = asyncio.get_running_loop()

    def tell(done: int, total: int) -> None:
        if total:
            message = f"Frame {done} of {total}"
            progress = Progress(done / total, message, step=done, steps=total)
            loop.call_soon_threadsafe(context.progress, progress)

    return tell
