"""Where things are counted: thin layers around the bus, the fetcher and the backends.

Each does what the thing within does and tells the meter or the tracing. Must not know how either
keeps it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from sidecar.backends.base import Backend, BackendError, RunContext
from sidecar.bus import STATUS, EventBus, Listener
from sidecar.fetch import Fetcher
from sidecar.jobs import Job
from sidecar.media import MediaStore
from sidecar.values import GenerateRequest, Json, Outputs, Progress

from .meter import Meter
from .tracing import JobSpan, Tracing


class HeardBus:
    """A bus whose changes of state the meter hears."""

    def __init__(self, bus: EventBus, meter: Meter) -> None:
        self._bus = bus
        self._meter = meter

    def publish(self, job_id: str, kind: str, data: object = None) -> None:
        """Tell who listens; never blocks, never raises."""
        if kind == STATUS and isinstance(data, Job):
            self._meter.changed(data)
        self._bus.publish(job_id, kind, data)

    def publish_all(self, kind: str) -> None:
        """Wake everybody."""
        self._bus.publish_all(kind)

    def listen(self, job_id: str) -> AbstractAsyncContextManager[Listener]:
        """Hear of one job for the time of the block."""
        return self._bus.listen(job_id)


class CountedFetcher(Fetcher):
    """A fetcher whose bytes are counted. `meter` is set once, before the first fetch."""

    meter: Meter

    @asynccontextmanager
    async def fetch(
        self, address: str, max_bytes: int
    ) -> AsyncGenerator[AsyncIterator[bytes], None]:
        """Give the body of the picture at `address`, as the fetcher does."""
        async with super().fetch(address, max_bytes) as chunks:
            yield self._counted(chunks)

    async def _counted(self, chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        async for chunk in chunks:
            self.meter.fetched(len(chunk))
            yield chunk


class ObservedBackend:
    """A backend whose attempts are traced, and whose files are counted."""

    def __init__(self, backend: Backend, media: MediaStore, meter: Meter, tracing: Tracing) -> None:
        self._backend = backend
        self._media = media
        self._meter = meter
        self._tracing = tracing
        self._counting: set[asyncio.Task[None]] = set()

    async def run(self, context: RunContext) -> Outputs:
        """Make the files. Raises BackendError."""
        with self._tracing.job(context.job, context.server) as span:
            try:
                outputs = await self._backend.run(_Steps(context, span))
            except BackendError as error:
                span.failed(error.error.code)
                raise
        counting = asyncio.create_task(self._count(context.request.pipeline, outputs))
        self._counting.add(counting)  # not awaited: the client need not wait for it
        counting.add_done_callback(self._counting.discard)
        return outputs

    async def _count(self, pipeline: str, outputs: Outputs) -> None:
        infos = [await self._media.stat(key) for key in (outputs.image, outputs.video)]
        self._meter.made(pipeline, sum(info.size for info in infos if info is not None))


class _Steps:
    """A context that tells the span which step the ledger names."""

    def __init__(self, context: RunContext, span: JobSpan) -> None:
        self._context = context
        self._span = span

    @property
    def job(self) -> Job:
        """The job as it was leased."""
        return self._context.job

    @property
    def request(self) -> GenerateRequest:
        """What is asked for."""
        return self._context.request

    @property
    def canceled(self) -> bool:
        """Whether the client wants it no more."""
        return self._context.canceled

    @property
    def server(self) -> str:
        """The ComfyUI that was chosen for this attempt."""
        return self._context.server

    def progress(self, progress: Progress) -> None:
        """Report."""
        self._context.progress(progress)

    def preview(self, data: bytes, mime: str) -> None:
        """Show a small picture of what is being made."""
        self._context.preview(data, mime)

    async def remember(self, ledger: Json, *, uncounted: bool = False) -> None:
        """Store the ledger, and tell the step. Raises LeaseLost."""
        await self._context.remember(ledger, uncounted=uncounted)
        self._span.reached(str(ledger.get("step") or ""), str(ledger.get("prompt_id") or ""))

    def output_key(self, name: str) -> str:
        """Return the media key for an output of this attempt."""
        return self._context.output_key(name)
