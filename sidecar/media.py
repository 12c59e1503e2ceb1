"""Where pictures and videos are kept: the protocol, and the store on local files.

Knows files and hashes. Must not know HTTP, jobs or ComfyUI. A key is ours and flat: lower-case
letters, digits and dashes, one dot, and the suffix that tells the type ("<sha256>.png",
"<job>-<attempt>-video.mp4"); never a client's name and never a path. Only plain files are there: a
symlink or a folder that somebody put among them is nothing.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import re
import secrets
import shutil
import stat
import threading
import time
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Generator, Iterable
from contextlib import (
    AbstractAsyncContextManager,
    AbstractContextManager,
    asynccontextmanager,
    contextmanager,
)
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

CONTENT_TYPES = {
    "bmp": "image/bmp",
    "gif": "image/gif",
    "jpg": "image/jpeg",
    "mp4": "video/mp4",
    "png": "image/png",
    "tiff": "image/tiff",
    "webm": "video/webm",
    "webp": "image/webp",
}
_KEY = re.compile(r"[a-z0-9-]{1,150}\.[a-z0-9]{1,8}")
_PIECE = 256 * 1024  # bytes written in one go


class TooLarge(Exception):
    """A stream holds more bytes than allowed; nothing of it is left."""


@dataclass(frozen=True)
class MediaInfo:
    """A stored file: its size in bytes, and its type by the key's suffix."""

    key: str
    size: int
    content_type: str


@dataclass(frozen=True)
class Stored:
    """A file as `listing` tells of it. Times are seconds since the epoch."""

    key: str
    size: int
    made_at: float
    used_at: float


class MediaStore(Protocol):
    """Files under keys; a file is visible whole or not at all."""

    async def put_file(self, key: str, path: Path) -> MediaInfo:
        """Move a finished file of `scratch()` in, atomically; an existing key is replaced."""
        ...

    async def put_stream(
        self, key: str, chunks: AsyncIterator[bytes], *, max_bytes: int | None = None
    ) -> MediaInfo:
        """Write a stream; nothing is left if it breaks. Raises TooLarge."""
        ...

    def scratch(self) -> AbstractAsyncContextManager[Path]:
        """Give an empty folder for half-made files; it goes with the block."""
        ...

    def local(self, key: str) -> AbstractAsyncContextManager[Path]:
        """Give a readable local path for the time of the block. Raises KeyError."""
        ...

    async def stat(self, key: str) -> MediaInfo | None:
        """Tell size and type, or None: also for what can't be a key."""
        ...

    async def touch(self, key: str) -> bool:
        """Mark a file as used now, so that house-keeping spares it; whether it is there."""
        ...

    def hold(self, key: str) -> AbstractContextManager[None]:
        """Spare a file from house-keeping for the time of the block: it is being sent."""
        ...

    async def delete_prefix(self, prefix: str) -> int:
        """Delete every key that begins so; return how many."""
        ...

    async def listing(self) -> list[Stored]:
        """Return every file."""
        ...

    async def discard(self, stored: Iterable[Stored]) -> int:
        """Delete files, but not those used since they were listed, or held; return how many."""
        ...


def content_type(key: str) -> str:
    """Return the type that a key's suffix stands for."""
    return CONTENT_TYPES.get(key.rpartition(".")[2], "application/octet-stream")


def is_key(text: str) -> bool:
    """Whether a text has the form of a key (no slash, no second dot, nothing hidden)."""
    return _KEY.fullmatch(text) is not None


class LocalMediaStore:
    """A folder of files named by their keys, and a folder for what is not finished yet."""

    def __init__(self, folder: Path) -> None:
        self._files = folder / "media"
        self._unfinished = folder / "unfinished"
        self._held: Counter[str] = Counter()
        self._using = threading.Lock()  # a file is marked as used, or deleted: one at a time

    async def open(self, *, alone: bool) -> None:
        """Make the folders; what a killed process left unfinished goes if we are `alone`."""

        def prepare() -> None:
            if alone:
                shutil.rmtree(self._unfinished, ignore_errors=True)
            for path in (self._files, self._unfinished):
                path.mkdir(parents=True, exist_ok=True)

        await asyncio.to_thread(prepare)

    async def put_file(self, key: str, path: Path) -> MediaInfo:
        """Move a finished file of `scratch()` in, atomically; an existing key is replaced."""
        target = self._path(key)

        def move() -> MediaInfo:
            path.replace(target)
            return MediaInfo(key, target.stat().st_size, content_type(key))

        return await asyncio.to_thread(move)

    async def put_stream(
        self, key: str, chunks: AsyncIterator[bytes], *, max_bytes: int | None = None
    ) -> MediaInfo:
        """Write a stream; nothing is left if it breaks. Raises TooLarge."""
        path = self._unfinished / secrets.token_hex(8)
        try:
            await save_stream(path, chunks, max_bytes=max_bytes, synced=False)
            return await self.put_file(key, path)
        except BaseException:
            await asyncio.to_thread(path.unlink, missing_ok=True)
            raise

    @asynccontextmanager
    async def scratch(self) -> AsyncGenerator[Path, None]:
        """Give an empty folder for half-made files; it goes with the block."""
        path = self._unfinished / secrets.token_hex(8)
        await asyncio.to_thread(path.mkdir, parents=True)
        try:
            yield path
        finally:
            await asyncio.to_thread(shutil.rmtree, path, ignore_errors=True)

    @asynccontextmanager
    async def local(self, key: str) -> AsyncGenerator[Path, None]:
        """Give a readable local path for the time of the block. Raises KeyError."""
        if not await self.touch(key):
            raise KeyError(key)
        yield self._path(key)

    async def touch(self, key: str) -> bool:
        """Mark a file as used now, so that house-keeping spares it; whether it is there.

        By its time of access: its time of change is what clients know it by (ETag).
        """
        if not is_key(key):
            return False
        path = self._path(key)

        def mark() -> bool:
            with self._using:
                found = _plain(path)
                if found is None:
                    return False
                try:
                    os.utime(path, ns=(time.time_ns(), found.st_mtime_ns))
                except FileNotFoundError:
                    return False
                except OSError:  # a read-only disk: it is there all the same
                    return True
                return True

        return await asyncio.to_thread(mark)

    @contextmanager
    def hold(self, key: str) -> Generator[None, None, None]:
        """Spare a file from house-keeping for the time of the block: it is being sent."""
        self._held[key] += 1
        try:
            yield
        finally:
            self._held[key] -= 1
            if not self._held[key]:
                del self._held[key]

    async def stat(self, key: str) -> MediaInfo | None:
        """Tell size and type, or None: also for what can't be a key."""
        if not is_key(key):
            return None
        path = self._path(key)

        def look() -> MediaInfo | None:
            found = _plain(path)
            return None if found is None else MediaInfo(key, found.st_size, content_type(key))

        return await asyncio.to_thread(look)

    async def delete_prefix(self, prefix: str) -> int:
        """Delete every key that begins so; return how many."""

        def delete() -> int:
            found = [path for path in self._files.iterdir() if path.name.startswith(prefix)]
            for path in found:
                path.unlink(missing_ok=True)
            return len(found)

        return await asyncio.to_thread(delete)

    async def listing(self) -> list[Stored]:
        """Return every file that has a key."""

        def scan() -> list[Stored]:
            with os.scandir(self._files) as entries:
                return [found for entry in entries if (found := _stored(entry)) is not None]

        return await asyncio.to_thread(scan)

    async def discard(self, stored: Iterable[Stored]) -> int:
        """Delete files, but not those used since they were listed, or held; return how many."""
        chosen = list(stored)

        def delete() -> int:
            return sum(self._discard(one) for one in chosen)

        return await asyncio.to_thread(delete)

    def _discard(self, one: Stored) -> bool:
        path = self._path(one.key)
        with self._using:
            try:
                if one.key in self._held or path.lstat().st_atime > one.used_at:
                    return False
                path.unlink()
            except OSError:  # gone already, or open on a system that does not delete what is open
                return False
        return True

    def _path(self, key: str) -> Path:
        """Return where a key's file is: right in the folder, for a key has no slash."""
        if not is_key(key):
            raise KeyError(key)
        return self._files / key


def _plain(path: Path) -> os.stat_result | None:
    """Tell of a file; None for what is not there, and for links and folders."""
    try:
        found = path.lstat()
    except OSError:
        return None
    return found if stat.S_ISREG(found.st_mode) else None


def _stored(entry: os.DirEntry[str]) -> Stored | None:
    try:
        found = entry.stat(follow_symlinks=False)
    except OSError:  # deleted meanwhile
        return None
    if not is_key(entry.name) or not stat.S_ISREG(found.st_mode):
        return None
    used_at = max(found.st_atime, found.st_mtime)
    return Stored(entry.name, found.st_size, found.st_mtime, used_at)


async def save_stream(
    path: Path,
    chunks: AsyncIterator[bytes],
    *,
    max_bytes: int | None = None,
    synced: bool = True,
) -> str:
    """Write a stream to `path` off the event loop; return its SHA-256. Raises TooLarge.

    `synced`: wait until the disk has it (10 ms and more). What can be made again need not.
    """
    part = _Part(path, synced)
    held = b""
    try:
        async for piece in _pieces(chunks, max_bytes):
            if held:
                await asyncio.to_thread(part.write, held)
            held = piece
        return await asyncio.to_thread(part.end, held)
    except BaseException:
        await asyncio.to_thread(part.close)
        raise


class _Part:
    """A file being written in a thread; a small one takes a single call."""

    def __init__(self, path: Path, synced: bool) -> None:
        self._path = path
        self._synced = synced
        self._digest = hashlib.sha256()
        self._file: BinaryIO | None = None

    def write(self, piece: bytes) -> BinaryIO:
        """Add a piece; the first one makes the file."""
        if self._file is None:
            self._file = self._path.open("wb")
        self._digest.update(piece)
        self._file.write(piece)
        return self._file

    def end(self, piece: bytes) -> str:
        """Add the last piece; return the SHA-256 of all."""
        file = self.write(piece)
        file.flush()
        if self._synced:
            os.fsync(file.fileno())
        self.close()
        return self._digest.hexdigest()

    def close(self) -> None:
        """Let go of the file."""
        if self._file is not None:
            self._file.close()


async def _pieces(chunks: AsyncIterator[bytes], max_bytes: int | None) -> AsyncIterator[bytes]:
    """Gather small chunks, so that the disk is not bothered for each. Raises TooLarge."""
    buffer, total = bytearray(), 0
    async for chunk in chunks:
        buffer += chunk
        total += len(chunk)
        if max_bytes is not None and total > max_bytes:
            raise TooLarge(f"more than {max_bytes} bytes")
        if len(buffer) >= _PIECE:
            yield bytes(buffer)
            buffer.clear()
    if buffer:
        yield bytes(buffer)
