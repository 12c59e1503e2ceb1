"""A prompt's files into the media store, begun as soon as ComfyUI tells of them.

What a web-socket message told is only a hint that saves time: the history's record decides which
files are the answer. Knows the media store, the client and which nodes a pipeline means.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Collection
from contextlib import asynccontextmanager
from pathlib import Path

from sidecar.comfy.client import ComfyClient, FileRef
from sidecar.comfy.errors import RunFailed
from sidecar.comfy.failures import no_files, public_record
from sidecar.comfy.follow import Finished
from sidecar.comfy.outputs import named_file, saved_file, suffix
from sidecar.comfy.patience import Patience
from sidecar.comfy.shapes import an_object
from sidecar.media import MediaStore
from sidecar.pipelines import Pipeline
from sidecar.values import JobError, Json, Outputs

from .base import RunContext

log = logging.getLogger(__name__)

VIDEO, IMAGE = "video", "image"
SUFFIXES = {
    VIDEO: ("mp4", "webm", "gif", "webp"),
    IMAGE: ("png", "jpg", "webp", "bmp", "tiff", "gif"),
}
MAX_FILE = 4 << 30  # bytes of one file made by ComfyUI

_FETCHES = 2  # of a video that can't be played: the connection may have broken unnoticed


class Collector:
    """Copies the files of one prompt. Use `collecting`, which ends what is still under way."""

    def __init__(
        self,
        context: RunContext,
        client: ComfyClient,
        media: MediaStore,
        pipeline: Pipeline,
        *,
        patience: Callable[[], Patience],
    ) -> None:
        self._patience = patience
        self._context = context
        self._client = client
        self._media = media
        self._pipeline = pipeline
        self._copies: dict[FileRef, asyncio.Task[str]] = {}

    def told(self, node: str, output: Json) -> None:
        """Begin with the files that a node has just made."""
        for kind in (VIDEO, IMAGE):
            ref = self._file(kind, {node: output})
            if ref is not None:
                self._begin(kind, ref)

    async def outputs(self, finished: Finished) -> Outputs:
        """Return the answer once its files are stored.

        Raises NotFound if a file is not there any more, RunFailed if there is none to begin with,
        Unreachable if ComfyUI stays away.
        """
        made = an_object(finished.record.get("outputs"))
        video, image = self._file(VIDEO, made), self._file(IMAGE, made)
        if video is None:
            raise RunFailed(
                no_files(finished.record, self._pipeline.graph, self._pipeline.video_output)
            )
        wanted = {VIDEO: video} if image is None else {VIDEO: video, IMAGE: image}
        await self._forget_others(wanted.values())
        copies = [self._begin(kind, ref) for kind, ref in wanted.items()]
        video_key, *image_key = await asyncio.gather(*copies)
        response = {**finished.answer, **public_record(finished.record)}
        return Outputs(
            image_key[0] if image_key else await self._first_frame(video_key), video_key, response
        )

    async def close(self) -> None:
        """Stop what is under way."""
        for copy in self._copies.values():
            copy.cancel()
        await asyncio.gather(*self._copies.values(), return_exceptions=True)

    def _file(self, kind: str, outputs: Json) -> FileRef | None:
        node = self._pipeline.video_output if kind == VIDEO else self._pipeline.image_output
        if node is None:
            return None
        named = named_file(outputs, node, kind)
        if named is not None and suffix(named) in SUFFIXES[kind]:
            return named
        return saved_file(outputs, node, SUFFIXES[kind])

    def _begin(self, kind: str, ref: FileRef) -> asyncio.Task[str]:
        if ref not in self._copies:
            self._copies[ref] = asyncio.create_task(self._copy(kind, ref), name=f"copy-{kind}")
        return self._copies[ref]

    async def _forget_others(self, wanted: Collection[FileRef]) -> None:
        """Begin anew if a message told of other files: they would go under the same keys."""
        if not set(wanted) >= set(self._copies):
            await asyncio.gather(*self._copies.values(), return_exceptions=True)
            self._copies.clear()

    async def _copy(self, kind: str, ref: FileRef) -> str:
        """Copy a file; a video must play, and is fetched once more if it does not."""
        key = self._context.output_key(f"{kind}.{suffix(ref)}")

        async def copy() -> str:  # from the start, if the connection broke in the middle
            stored = await self._media.put_stream(key, self._client.view(ref, limit=MAX_FILE))
            if not stored.size:
                return "is empty"
            return await self._fault(key) if kind == VIDEO else ""

        for left in reversed(range(_FETCHES)):
            wrong = await self._patience().ask(copy)
            if not wrong:
                break
            log.warning("job %s: its %s file %s", self._context.job.id, kind, wrong)
            if not left:
                raise RunFailed(_unusable(kind, wrong))
        return key

    async def _fault(self, key: str) -> str:
        async with self._media.local(key) as path:
            return await asyncio.to_thread(_fault_of_video, path)

    async def _first_frame(self, video_key: str) -> str:
        key = self._context.output_key("image.png")
        async with self._media.local(video_key) as video, self._media.scratch() as folder:
            target = folder / "image.png"
            if not await asyncio.to_thread(_save_first_frame, video, target):
                raise RunFailed(_unusable(VIDEO, "holds no picture"))
            await self._media.put_file(key, target)
        return key


@asynccontextmanager
async def collecting(collector: Collector) -> AsyncGenerator[Collector, None]:
    """Close the collector in the end."""
    try:
        yield collector
    finally:
        await collector.close()


def _unusable(kind: str, wrong: str) -> JobError:
    return JobError(
        "no_output",
        f"ComfyUI's {kind} file {wrong}: send it again, or try another pipeline.",
        "It was fetched twice. See whether the disk of the ComfyUI machine is full.",
    )


def _fault_of_video(video: Path) -> str:
    from .playable import fault  # noqa: PLC0415  loads PyAV: not on the event loop

    return fault(video)


def _save_first_frame(video: Path, target: Path) -> bool:
    from .frames import save_first_frame  # noqa: PLC0415  loads PyAV: not on the event loop

    return save_first_frame(video, target)
