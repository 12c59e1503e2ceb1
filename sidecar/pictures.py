"""Bytes from anywhere to a stored picture: streamed to disk, capped, decoded once, kept as sent.

Knows the media store and the worker. Must not know HTTP or where the bytes come from.
"""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from concurrent.futures import Executor
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

from .errors import BadRequest, TooManyRequests
from .media import MediaStore, TooLarge, save_stream

_PATIENCE_S = 2  # a picture is on its way for a second or so


class Pictures:
    """Accepts pictures into the store, `most` at once if given, decoding in `pool`."""

    def __init__(
        self, media: MediaStore, pool: Executor, max_bytes: int, most: int | None = None
    ) -> None:
        self._media = media
        self._pool = pool
        self.most = most
        self.under_way = 0
        self.max_bytes = max_bytes

    async def keep(
        self, chunks: AsyncIterator[bytes], field: str, name: Callable[[str], str] = str
    ) -> str:
        """Store the picture and return its key; the same bytes give the same key.

        `name` makes the key, without its suffix, of the digest of the bytes.
        Raises BadRequest, naming `field`, if it is no picture or too large; then nothing is left.
        """
        async with self.received(chunks, field, name) as store:
            return await store()

    @asynccontextmanager
    async def received(
        self, chunks: AsyncIterator[bytes], field: str, name: Callable[[str], str] = str
    ) -> AsyncGenerator[Callable[[], Awaitable[str]], None]:
        """Read and check as `keep` does; give what then stores the picture and returns its key.

        For who has more to check before: what is not stored goes with the block. Raises
        TooManyRequests if too many are under way.
        """
        async with self._place(), self._media.scratch() as folder:
            path = folder / "picture"
            try:
                digest = await save_stream(path, chunks, max_bytes=self.max_bytes)
            except TooLarge:
                raise self.too_large(field) from None
            key = f"{name(digest)}.{await self._suffix(path, field)}"
            yield partial(self._store, key, path)

    @asynccontextmanager
    async def _place(self) -> AsyncGenerator[None, None]:
        """Count the pictures under way: each takes a place on the disk and in the pool."""
        if self.most is not None and self.under_way >= self.most:
            raise TooManyRequests(
                f"Too many pictures are being received: try again in {_PATIENCE_S} s.",
                code="too_many_uploads",
                details="The operator sets by PROMPTREEL_MAX_UPLOADS how many may be under way.",
                headers={"Retry-After": str(_PATIENCE_S)},
            )
        self.under_way += 1
        try:
            yield
        finally:
            self.under_way -= 1

    async def _store(self, key: str, path: Path) -> str:
        if not await self._media.touch(key):
            await self._media.put_file(key, path)
        return key

    async def warm(self) -> None:
        """Load the engine ahead of the first picture: that takes a second or so."""
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(self._pool, importlib.import_module, "sidecar.backends.worker")

    def too_large(self, field: str) -> BadRequest:
        """Return the answer to too many bytes."""
        most = f"{self.max_bytes / 1024 / 1024:g} MB"
        return BadRequest(
            f"The picture's file is too large: send at most {most}.",
            code="file_too_large",
            details=f"The limit is {self.max_bytes} bytes.",
            fields={field: f"larger than {most}"},
        )

    async def _suffix(self, path: Path, field: str) -> str:
        loop = asyncio.get_running_loop()
        suffix, wrong = await loop.run_in_executor(self._pool, _check, path)
        if wrong:
            raise BadRequest(
                wrong,
                code="invalid_image",
                details="Only the bytes count: the file's name and declared type do not matter.",
                fields={field: wrong},
            )
        return suffix


def _check(path: Path) -> tuple[str, str]:
    from .backends import worker  # noqa: PLC0415  loads the engine: not on the event loop

    return worker.check_picture(path)
