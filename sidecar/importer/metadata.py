"""The graph that ComfyUI leaves in the files it saves: pictures (PNG, WebP, JPEG) and videos.

ComfyUI writes the API graph as `prompt` and the editor's workflow as `workflow`: text chunks of a
PNG, Exif tags "prompt:{...}" of WebP and JPEG, tags of a video's container (one tag `comment` with
both by VideoHelperSuite). No picture is decoded here. Must not know what a graph is.
"""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import av
import av.error
from av.container import InputContainer
from PIL import ExifTags, Image

from sidecar.rules import NotAGraph

KEYS = ("prompt", "workflow")
LARGEST_TEXT = 32 << 20  # bytes of one text, unpacked

_PNG = b"\x89PNG\r\n\x1a\n"
_VIDEOS = (".mp4", ".webm", ".mkv", ".mov", ".m4v", ".avi", ".gif")
_PICTURES = (".png", ".webp", ".jpg", ".jpeg", ".apng")
_UNREADABLE = (
    OSError,
    ValueError,
    SyntaxError,
    struct.error,
    zlib.error,
    av.error.FFmpegError,
    Image.DecompressionBombError,
)


def is_media(path: Path, head: bytes) -> bool:
    """Whether a file is a picture or a video, by its first bytes or its name."""
    known = (_PNG, b"\xff\xd8\xff", b"\x1a\x45\xdf\xa3")
    return (
        head.startswith(known)
        or head[4:8] == b"ftyp"
        or head[8:12] == b"WEBP"
        or path.suffix.lower() in (*_VIDEOS, *_PICTURES)
    )


def read_texts(path: Path, head: bytes) -> dict[str, str]:
    """Return the texts of the file under "prompt" and "workflow". Raises NotAGraph."""
    try:
        found = dict(_texts(path, head))
    except _UNREADABLE:
        raise NotAGraph(f"{path.name} can't be read as a picture or a video.") from None
    return {key.lower(): text for key, text in found.items() if key.lower() in KEYS}


def _texts(path: Path, head: bytes) -> Iterator[tuple[str, str]]:
    if head.startswith(_PNG):
        yield from _png_texts(path)
    elif head.startswith(b"\xff\xd8\xff") or head[8:12] == b"WEBP":
        yield from _exif_texts(path)
    else:
        yield from _video_texts(path)


def _png_texts(path: Path) -> Iterator[tuple[str, str]]:
    """Yield the texts of tEXt, zTXt and iTXt chunks, and of ComfyUI's own `comf` (animations)."""
    with path.open("rb") as file:
        file.seek(len(_PNG))
        while len(start := file.read(8)) == 8:
            size, kind = struct.unpack(">I4s", start)
            if kind in (b"tEXt", b"zTXt", b"iTXt", b"comf") and size <= LARGEST_TEXT:
                key, _, rest = file.read(size).partition(b"\0")
                yield key.decode("latin-1"), _png_text(kind, rest)
                file.seek(4, 1)
            else:
                file.seek(size + 4, 1)


def _png_text(kind: bytes, rest: bytes) -> str:
    if kind == b"zTXt":
        return _unpacked(rest[1:]).decode("latin-1")
    if kind == b"iTXt":
        packed, text = rest[:1] == b"\1", rest[2:].split(b"\0", 2)[-1]
        return (_unpacked(text) if packed else text).decode("utf-8", "replace")
    return rest.decode("latin-1")


def _unpacked(data: bytes) -> bytes:
    unpacker = zlib.decompressobj()
    text = unpacker.decompress(data, LARGEST_TEXT)
    if unpacker.unconsumed_tail:
        raise ValueError("too large")
    return text


def _exif_texts(path: Path) -> Iterator[tuple[str, str]]:
    """Yield the Exif texts of the form "prompt:{...}"; a UserComment may hold the graph alone."""
    with path.open("rb") as file:
        exif: Image.Exif = Image.open(file, formats=("JPEG", "WEBP")).getexif()
    values: list[Any] = [*exif.values(), *exif.get_ifd(ExifTags.IFD.Exif).values()]
    for value in values:
        key, colon, text = _plain(value).partition(":")
        if colon and key.strip().lower() in KEYS:
            yield key.strip(), text
        elif _plain(value).lstrip().startswith("{"):
            yield from _both(_plain(value))


def _plain(value: object) -> str:
    if isinstance(value, bytes):
        body = value[8:] if value[:8] in (b"ASCII\0\0\0", b"UNICODE\0") else value
        text = body.decode("utf-16-be" if value[:7] == b"UNICODE" else "utf-8", "replace")
        return text.strip("\0")
    return value if isinstance(value, str) else ""


def _video_texts(path: Path) -> Iterator[tuple[str, str]]:
    container: InputContainer = av.open(str(path), metadata_errors="replace")
    tags = dict(container.metadata)
    container.close()
    for key, text in tags.items():
        yield from _both(text) if key.lower() == "comment" else ((key, text),)


def _both(text: str) -> Iterator[tuple[str, str]]:
    """Yield the texts of a JSON object {"prompt": ..., "workflow": ...} (texts or objects)."""
    try:
        value: Any = json.loads(text)
    except (ValueError, RecursionError):
        return
    for key, inner in cast("dict[str, Any]", value).items() if isinstance(value, dict) else ():
        yield key, inner if isinstance(inner, str) else json.dumps(inner)
