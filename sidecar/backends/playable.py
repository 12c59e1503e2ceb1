"""Whether a video file can be played: whole by its container's own sizes, and its first frame
decodes. A plain function, run off the event loop: a few milliseconds, however long the video is.

Knows how MP4, WebM and GIF tell where they end (Pillow refuses a WebP that is cut). Must not know
who made the file.
"""

# PyAV's and Pillow's openers are typed in part.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false
from __future__ import annotations

import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import av
from av.container import InputContainer
from av.error import FFmpegError
from PIL import Image, ImageSequence

from sidecar.disk import trouble

PICTURES = (".gif", ".webp")
BROKEN = (FFmpegError, OSError, ValueError, IndexError, SyntaxError, EOFError)
EMPTY, CUT_SHORT, NO_VIDEO = "is empty", "is cut short", "is no video that can be decoded"

# Playlists would make FFmpeg open other files, and a text would count as a video.
_OPTIONS = {"format_whitelist": "mp4,webm", "protocol_whitelist": "file"}
_GIF_END, _TAIL = b"\0;", 1024
_EBML, _SEGMENT = b"\x1a\x45\xdf\xa3", b"\x18\x53\x80\x67"


@contextmanager
def opened(path: Path) -> Generator[InputContainer, None, None]:
    """Open an MP4 or WebM to be read, whatever its name says. Raises FFmpegError."""
    with av.open(str(path), options=_OPTIONS) as container:
        container.streams.video[0].codec_context.thread_count = 1  # for a frame or two
        yield container


def fault(path: Path) -> str:
    """Return what is wrong with a video file, as a verb and its object; blank if it plays."""
    try:
        with path.open("rb") as file:
            if not file.seek(0, os.SEEK_END):
                return EMPTY
            if not _whole(file, path):
                return CUT_SHORT
        return "" if _decodes(path) else NO_VIDEO
    except BROKEN as error:
        if trouble(error) is not None:
            raise  # the disk's fault, not the video's
        return NO_VIDEO


def _decodes(path: Path) -> bool:
    if path.suffix in PICTURES:
        with Image.open(path, formats=("GIF", "WEBP")) as image:
            image.load()
        return True
    with opened(path) as container:
        return next(container.decode(video=0), None) is not None


def _whole(file: BinaryIO, path: Path) -> bool:
    """Whether the file goes on to where its container says that it ends; True if that is open."""
    end = file.tell()
    head = _at(file, 0, 12)
    if head.startswith(b"GIF8"):
        tail = _at(file, max(end - _TAIL, 0), _TAIL)
        return tail.endswith(_GIF_END) or (_GIF_END in tail and _each_frame(path))
    if head.startswith(_EBML):
        return _segment_end(file, end) <= end
    if head[4:8] == b"ftyp":
        return _boxes_end(file, end) <= end
    return True


def _each_frame(path: Path) -> bool:
    """Decode a GIF that does not end as others do: something may follow it."""
    try:
        with Image.open(path, formats=("GIF",)) as image:
            for frame in ImageSequence.Iterator(image):
                frame.load()
    except BROKEN:
        return False
    return True


def _boxes_end(file: BinaryIO, end: int) -> int:
    """Return where an MP4's last box ends (beyond the file, if it is cut)."""
    place = 0
    while place + 8 <= end:
        head = _at(file, place, 16)
        size = int.from_bytes(head[:4], "big")
        if size == 1:
            size = int.from_bytes(head[8:16], "big")
        if size < 8:  # 0: up to the end; others are none
            return end
        place += size
    return place


def _segment_end(file: BinaryIO, end: int) -> int:
    """Return where a WebM's segment ends by its own size; the file's end if that is not told."""
    place = 4
    size, length = _number(_at(file, place, 8))
    place += length + size
    if _at(file, place, 4) != _SEGMENT:
        return end
    size, length = _number(_at(file, place + 4, 8))
    unknown = size == (1 << 7 * length) - 1
    return end if unknown else place + 4 + length + size


def _number(data: bytes) -> tuple[int, int]:
    """Read an EBML number: its value and its length in bytes."""
    length = 9 - data[0].bit_length()
    return int.from_bytes(data[:length], "big") & ((1 << 7 * length) - 1), length


def _at(file: BinaryIO, place: int, length: int) -> bytes:
    file.seek(place)
    return file.read(length)
