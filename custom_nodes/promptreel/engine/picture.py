"""Bytes of any origin to a correct RGB picture, or one sentence that says why not.

Knows Pillow's file formats and what can be wrong with a file. Must not know scenes or frames.
The size is checked before a single pixel is decoded.
"""

from __future__ import annotations

import io
import struct
import threading
import warnings
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PIL import Image

from .color import to_rgb
from .errors import PictureError
from .limits import MAX_PICTURE_BYTES, MAX_PIXELS
from .values import Extent, Picture

_SIGNATURES: tuple[tuple[bytes, str], ...] = (
    (b"\xff\xd8\xff", "jpeg"),
    (b"\x89PNG\r\n\x1a\n", "png"),
    (b"GIF87a", "gif"),
    (b"GIF89a", "gif"),
    (b"BM", "bmp"),
    (b"II*\x00", "tiff"),
    (b"MM\x00*", "tiff"),
)

# EXIF 2.3, tag 0x0112: how to turn the stored rows so that they stand as they were seen.
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}

# Pillow's failures on broken files; MemoryError: a header that lies about its size.
_BROKEN = (
    OSError,
    SyntaxError,
    ValueError,
    TypeError,
    KeyError,
    IndexError,
    AttributeError,
    OverflowError,
    ZeroDivisionError,
    struct.error,
    EOFError,
    MemoryError,
    RuntimeError,
    NotImplementedError,
)

_quiet_lock = threading.Lock()  # warning filters belong to the process: one at a time


def sniff(head: bytes) -> str | None:
    """Return the format that the first 16 bytes announce, or None if it is not one we read."""
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "webp"
    return next((name for mark, name in _SIGNATURES if head.startswith(mark)), None)


def load_picture(source: Path | bytes, *, max_pixels: int = MAX_PIXELS) -> Picture:
    """Decode the first frame as sRGB, upright, transparency over white.

    JPEG, PNG, GIF, WebP, BMP and TIFF by content, whatever the name; CMYK, 16-bit, palette and
    ICC profiles are converted. Raises PictureError for anything else, for a damaged file and for
    more than `max_pixels`.
    """
    data = _read(source)
    kind = sniff(data[:16])
    if kind is None:
        raise PictureError(_why_not(data))
    with _quietly():
        return _decode(data, kind, max_pixels)


def _decode(data: bytes, kind: str, max_pixels: int) -> Picture:
    try:
        image: Image.Image = Image.open(io.BytesIO(data), formats=(kind.upper(),))
        _check_size(Extent(*image.size), max_pixels)
        image.load()
        turn = _TURNS.get(_orientation(image.info.get("exif")))
        rgb = to_rgb(image)
        upright = rgb if turn is None else rgb.transpose(turn)
        return np.array(upright, dtype=np.uint8, order="C")
    except Image.DecompressionBombError:
        raise PictureError(_too_large(max_pixels)) from None
    except _BROKEN:
        raise PictureError(
            f"The {kind.upper()} picture is damaged or cut short: save it again and retry."
        ) from None


def _read(source: Path | bytes) -> bytes:
    data = source if isinstance(source, bytes) else _read_file(source)
    if not data:
        raise PictureError("The picture is empty: send a JPEG, PNG, GIF or WebP file.")
    if len(data) > MAX_PICTURE_BYTES:
        raise PictureError(
            f"The picture's file is too large: at most {MAX_PICTURE_BYTES >> 20} MB are read."
        )
    return data


def _read_file(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(MAX_PICTURE_BYTES + 1)
    except OSError:
        raise PictureError(f"The picture {path.name!r} can't be opened: check the file.") from None


def _check_size(extent: Extent, max_pixels: int) -> None:
    if extent.pixels > max_pixels:
        raise PictureError(_too_large(max_pixels, extent))
    if min(extent.width, extent.height) < 1:
        raise PictureError("The picture has no pixels: send another one.")


def _too_large(max_pixels: int, extent: Extent | None = None) -> str:
    size = f" ({extent})" if extent else ""
    most = f"{max_pixels / 1e6:g}"
    return f"The picture is too large{size}: make it smaller, at most {most} megapixels."


def _why_not(data: bytes) -> str:
    head = data[:512].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if head.startswith(b"<svg") or (head.startswith(b"<?xml") and b"<svg" in data[:4096].lower()):
        return "An SVG drawing has no pixels: export it as a PNG and send that."
    if head.startswith(b"%pdf"):
        return "This is a PDF document, not a picture: send a JPEG, PNG, GIF or WebP file."
    return "This file is not a picture that can be read: send a JPEG, PNG, GIF or WebP file."


def _orientation(exif: bytes | None) -> int:
    """Return EXIF orientation 1..8; 1 where the block is absent or damaged (TIFF 6.0 layout)."""
    block = (exif or b"").removeprefix(b"Exif\x00\x00")
    order = {b"II": "<", b"MM": ">"}.get(block[:2])
    if order is None or len(block) < 10:
        return 1
    (first,) = struct.unpack_from(f"{order}I", block, 4)
    if first + 2 > len(block):
        return 1
    (count,) = struct.unpack_from(f"{order}H", block, first)
    for at in range(first + 2, min(first + 2 + 12 * count, len(block) - 11), 12):
        tag, kind, _, value = struct.unpack_from(f"{order}HHIH", block, at)
        if tag == 0x0112 and kind == 3:
            return value
    return 1


@contextmanager
def _quietly() -> Generator[None, None, None]:
    """Silence Pillow's remarks on odd metadata: they are no news to the caller."""
    with _quiet_lock, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
