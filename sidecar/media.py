"""Where pictures and videos are kept: the protocol, and the store on local files.

Knows files and hashes. Must not know HTTP, jobs or ComfyUI. A key is ours ("u/<sha256>.png",
"jobs/<job>/<attempt>/video.mp4"), never a client's name and never a path.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True)
class MediaInfo:
    """A stored file: `etag` is quoted as HTTP wants it, `modified` is seconds since the epoch."""

    key: str
    size: int
    content_type: str
    etag: str
    modified: float


class MediaStore(Protocol):
    """Files under keys; a file is visible whole or not at all."""

    async def put_file(self, key: str, path: Path, *, content_type: str) -> MediaInfo:
        """Move a finished local file in, atomically; an existing key is replaced."""
        ...

    async def put_stream(
        self, key: str, chunks: AsyncIterator[bytes], *, content_type: str
    ) -> MediaInfo:
        """Write a stream; nothing is left if it breaks."""
        ...

    def open(self, key: str, *, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        """Read bytes start..end (end exclusive). Raises KeyError if there is no such file."""
        ...

    def local(self, key: str) -> AbstractAsyncContextManager[Path]:
        """Give a readable local path for the time of the block. Raises KeyError."""
        ...

    async def stat(self, key: str) -> MediaInfo | None:
        """Tell size, type and etag, or None."""
        ...

    async def delete_prefix(self, prefix: str) -> int:
        """Delete every key under a prefix; return how many."""
        ...
