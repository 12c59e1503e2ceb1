"""Files that an attacker, or an odd program, would send as a picture; more than tests/pictures.py.

`readable` is None where either answer is right, as long as it is one of the two.
"""

from __future__ import annotations

import gzip
import io
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np
from PIL import Image

from tests.pictures import bomb, picture, samples, saved

PNG_SIGN = b"\x89PNG\r\n\x1a\n"


@dataclass(frozen=True)
class Hostile:
    """A file; `readable` says whether it must work, must not, or (None) may do either."""

    name: str
    data: bytes
    readable: bool | None

    def __repr__(self) -> str:
        return self.name


def chunk(kind: bytes, body: bytes) -> bytes:
    """Return a chunk of a PNG."""
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def with_chunk(kind: bytes, body: bytes) -> bytes:
    """Return a good PNG with one more chunk after its header."""
    good = saved(picture(), "PNG")
    return good[:33] + chunk(kind, body) + good[33:]


def header(width: int, height: int, depth: int = 8, color: int = 0, *rest: int) -> bytes:
    """Return a PNG of that header, with few pixels."""
    ihdr = struct.pack(">IIBB", width, height, depth, color) + bytes(rest or (0, 0, 0))
    body = chunk(b"IDAT", zlib.compress(b"\0" * 500)) + chunk(b"IEND", b"")
    return PNG_SIGN + chunk(b"IHDR", ihdr) + body


def black(width: int, height: int) -> bytes:
    """Return a good PNG of one bit a pixel, all there and all black: small, and large when read."""
    ihdr = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    rows = zlib.compress(bytes((1 + (width + 7) // 8) * height), 9)
    ends = (chunk(b"IDAT", rows), chunk(b"IEND", b""))
    return PNG_SIGN + chunk(b"IHDR", ihdr) + b"".join(ends)


def deflate_bomb(megabytes: int) -> bytes:
    """Return so many megabytes of zeros, deflated: a thousandth of it."""
    packer = zlib.compressobj(9)
    piece = b"\0" * 2**20
    return b"".join(packer.compress(piece) for _ in range(megabytes)) + packer.flush()


def gif_of(frames: int) -> bytes:
    """Return a GIF with so many frames of one pixel."""
    image = b"\x2c\0\0\0\0\x01\0\x01\0\0\x02\x02\x44\x01\0"
    screen = b"GIF89a\x01\0\x01\0\x80\0\0\0\0\0\xff\xff\xff"
    return screen + image * frames + b"\x3b"


def gif_bomb(width: int, height: int) -> bytes:
    """Return a GIF that claims a large screen and has one pixel."""
    screen = b"GIF89a" + struct.pack("<HH", width, height) + b"\x80\0\0\0\0\0\xff\xff\xff"
    return screen + b"\x2c\0\0\0\0\x01\0\x01\0\0\x02\x02\x44\x01\0\x3b"


def zip_of(name: str, data: bytes) -> bytes:
    """Return a ZIP archive."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(name, data)
    return out.getvalue()


def jpeg_with(marker: int, body: bytes) -> bytes:
    """Return a good JPEG with one more segment."""
    good = saved(picture(), "JPEG")
    return good[:2] + struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body + good[2:]


def exif_bomb() -> bytes:
    """Return EXIF whose directory points to itself and claims 65535 entries."""
    entry = struct.pack("<HHIHH", 0x8769, 4, 1, 8, 0)
    return b"Exif\0\0II*\0\x08\0\0\0\xff\xff" + entry * 2000


def tiff_header(width: int, height: int, *, loops: bool = False) -> bytes:
    """Return a TIFF of that size without pixels; `loops`: its directory follows itself."""
    tags = [(256, 4, 1, width), (257, 4, 1, height), (258, 3, 1, 8), (259, 3, 1, 1)]
    tags += [(262, 3, 1, 1), (273, 4, 1, 8), (277, 3, 1, 1), (278, 4, 1, height), (279, 4, 1, 4)]
    rows = b"".join(struct.pack("<HHII", *tag) for tag in tags)
    after = 8 if loops else 0
    return b"II*\0\x08\0\0\0" + struct.pack("<H", len(tags)) + rows + struct.pack("<I", after)


def bmp_header(width: int, height: int, bits: int = 24, compression: int = 0) -> bytes:
    """Return a BMP of that size without pixels."""
    info = struct.pack("<IiiHHIIiiII", 40, width, height, 1, bits, compression, 0, 0, 0, 0, 0)
    return b"BM" + struct.pack("<IHHI", 54 + 64, 0, 0, 54) + info + b"\0" * 64


def icon() -> bytes:
    """Return a Windows icon, which holds a PNG."""
    return saved(picture(64, 64), "ICO")


def noise(width: int, height: int) -> Image.Image:
    """Return a picture that can't be packed."""
    pixels = np.random.default_rng(1).integers(0, 255, (height, width, 3), np.uint8)
    return Image.fromarray(pixels)


def _cuts() -> Iterator[tuple[str, bytes, bool | None]]:
    """Every kind, cut at many places; without its last bytes some still show all pixels."""
    whole = {
        "png": saved(noise(64, 48), "PNG"),
        "jpg": saved(noise(64, 48), "JPEG"),
        "progressive.jpg": saved(noise(64, 48), "JPEG", progressive=True),
        "gif": saved(noise(64, 48), "GIF"),
        "webp": saved(noise(64, 48), "WEBP"),
        "bmp": saved(noise(64, 48), "BMP"),
        "tiff": saved(noise(64, 48), "TIFF"),
    }
    for kind, data in whole.items():
        for part in (0.02, 0.3, 0.6, 0.95):
            yield f"cut-{part}.{kind}", data[: int(len(data) * part)], None
        yield f"cut-last.{kind}", data[:-1], None
        middle = len(data) // 2
        flipped = data[:middle] + bytes(255 - b for b in data[middle : middle + 40])
        yield f"flipped.{kind}", flipped + data[middle + 40 :], None


def _mislabelled() -> Iterator[tuple[str, bytes, bool | None]]:
    """What is no picture, whatever it is called."""
    png = saved(picture(), "PNG")
    yield "pdf.png", b"%PDF-1.7\n1 0 obj<</OpenAction<</S/JavaScript/JS(app.alert(1))>>>>", False
    yield "html.png", b"<!doctype html><script>alert(1)</script>", False
    yield "svg.png", b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", False
    yield "svg-entities.png", b"<?xml version='1.0'?><!DOCTYPE s [<!ENTITY a 'x'>]><svg/>", False
    yield "js.png", b"alert(document.cookie)//", False
    yield "php.png", b"<?php system($_GET['c']); ?>", False
    yield "sh.png", b"#!/bin/sh\nrm -rf /\n", False
    yield "zip.png", zip_of("a.png", png), False
    yield "exe.png", b"MZ\x90\0" + b"\0" * 500, False
    yield "elf.png", b"\x7fELF\x02\x01\x01" + b"\0" * 500, False
    yield "gzip.png", gzip.compress(png), False
    yield "bom.png", b"\xef\xbb\xbf" + png, False
    yield "spaces.png", b"   " + png, False
    yield "mp4.png", b"\0\0\0\x18ftypisom\0\0\0\0isommp42" + b"\0" * 99, False
    yield "avif.png", b"\0\0\0\x1cftypavif\0\0\0\0avifmif1miaf" + b"\0" * 99, False
    yield "heic.jpg", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + b"\0" * 99, False
    yield "psd.png", b"8BPS\0\x01" + b"\0" * 6 + struct.pack(">HIIHH", 3, 64, 64, 8, 3), False
    yield "ico.png", icon(), False
    yield "eps.png", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n(x) run\n", False
    yield "mvg.png", b"push graphic-context\nimage over 0,0 0,0 'https://x/`id`'\n", False
    yield "xpm.png", b'/* XPM */ static char *x[] = {"1 1 1 1"};', False
    yield "ppm.png", b"P6 1 1 255\n\0\0\0", False
    yield "j2k.png", b"\0\0\0\x0cjP  \r\n\x87\n" + b"\0" * 99, False
    yield "fli.png", b"\0\0\0\0\x11\xaf" + b"\0" * 200, False
    yield "icns.png", b"icns\0\0\0\x10" + b"\0" * 99, False
    yield "tga.png", b"\0\0\x02" + b"\0" * 9 + b"\x01\0\x01\0\x18\0abc", False


def _polyglots() -> Iterator[tuple[str, bytes, bool | None]]:
    """Good pictures that are something else too: served as pictures, never sniffed."""
    png, gif, jpeg = (saved(picture(), kind) for kind in ("PNG", "GIF", "JPEG"))
    page = b"<html><script>alert(1)</script></html>"
    yield "gifar.gif", gif + zip_of("META-INF/MANIFEST.MF", b"Main-Class: x\n"), True
    yield "png-html.png", png + page, True
    yield "png-html-inside.png", with_chunk(b"tEXt", b"Comment\0" + page), True
    yield "png-zip.png", png + zip_of("a", b"b" * 999), True
    yield "jpeg-php.jpg", jpeg_with(0xFE, b"<?php system($_GET['c']); ?>"), True
    yield "jpeg-html.jpg", jpeg + page, True
    yield "gif-js.gif", gif[:6] + b"/*" + gif[8:] + b"*/=1;alert(1)", None
    yield "bmp-js.bmp", saved(picture(), "BMP") + b"*/=1;alert(1)", True
    yield "two.png", png + png, True
    yield "png-jpeg.png", png + jpeg, True


def _bombs() -> Iterator[tuple[str, bytes, bool | None]]:
    """Small files that want much memory or time."""
    zeros = deflate_bomb(100)
    yield "bomb-100mp.png", bomb(10000, 10001), False
    yield "whole-64mp.png", black(10000, 6401), False  # a little more than is read
    yield "bomb-wide.png", bomb(2**31 - 1, 1), False
    yield "bomb-tall.png", bomb(1, 2**31 - 1), False
    yield "bomb-itxt.png", with_chunk(b"iTXt", b"k\0\x01\0\0\0" + zeros), None
    yield "bomb-ztxt.png", with_chunk(b"zTXt", b"k\0\0" + zeros), None
    yield "bomb-iccp.png", with_chunk(b"iCCP", b"k\0\0" + zeros), None
    idat = PNG_SIGN + chunk(b"IHDR", struct.pack(">IIBBBBB", 9, 9, 8, 0, 0, 0, 0))
    yield "bomb-idat.png", idat + chunk(b"IDAT", zeros) + chunk(b"IEND", b""), None
    yield "many-chunks.png", with_many(b"tEXt", b"k\0v", 20000), None
    yield "many-empty-idat.png", with_many(b"IDAT", b"", 20000), None
    yield "chunk-too-long.png", saved(picture(), "PNG")[:33] + b"\x7f\xff\xff\xffIDAT", False
    yield "frames.gif", gif_of(100_000), True
    yield "bomb.gif", gif_bomb(65535, 65535), False
    yield "bomb-big.tiff", tiff_header(2**31, 2**31), False
    yield "bomb-loop.tiff", tiff_header(8, 8, loops=True), None
    yield "bomb.bmp", bmp_header(2**31 - 1, 2**31 - 1), False
    yield "minus.bmp", bmp_header(-8, -8), None
    yield "rle.bmp", bmp_header(60000, 60000, 8, 1), False
    yield "bomb.webp", b"RIFF\xff\xff\xff\xffWEBPVP8X\x0a\0\0\0\0\0\0\0" + b"\xff" * 6, False
    yield "bomb.jpg", jpeg_sized(65500, 65500), False


def with_many(kind: bytes, body: bytes, count: int) -> bytes:
    """Return a good PNG with many more chunks before its pixels."""
    good = saved(picture(), "PNG")
    return good[:33] + chunk(kind, body) * count + good[33:]


def jpeg_sized(width: int, height: int) -> bytes:
    """Return a JPEG whose header claims another size."""
    good = saved(picture(), "JPEG")
    at = good.index(b"\xff\xc0") + 5
    return good[:at] + struct.pack(">HH", height, width) + good[at + 4 :]


def _odd() -> Iterator[tuple[str, bytes, bool | None]]:
    """Rare but right, or wrong in its head."""
    exif = b"Exif\0\0" + bytes(range(256)) * 40
    jpeg = saved(picture(), "JPEG")
    for n in range(1, 9):
        turned = Image.Exif()
        turned[0x0112] = n
        yield f"turned-{n}.jpg", saved(picture(), "JPEG", exif=turned.tobytes()), True
    yield "exif-garbage.jpg", jpeg_with(0xE1, exif), True
    yield "exif-loop.jpg", jpeg_with(0xE1, exif_bomb()), True
    yield "exif-huge.jpg", jpeg_with(0xE1, b"Exif\0\0" + b"\xff" * 65000), True
    yield "exif-turn-99.jpg", jpeg_with(0xE1, _turn(99)), True
    yield "icc-huge.jpg", jpeg_with(0xE2, b"ICC_PROFILE\0\x01\x01" + b"\xff" * 65000), True
    yield "icc-missing-part.jpg", jpeg_with(0xE2, b"ICC_PROFILE\0\x02\x03" + b"x" * 99), True
    yield "mpo.jpg", saved(picture(), "MPO", save_all=True, append_images=[picture()]), True
    yield "arithmetic.jpg", jpeg.replace(b"\xff\xc0", b"\xff\xc9", 1), None
    yield "lossless.jpg", jpeg.replace(b"\xff\xc0", b"\xff\xc3", 1), False
    yield "12-bit.jpg", jpeg.replace(b"\xff\xc0\x00\x11\x08", b"\xff\xc0\x00\x11\x0c", 1), False
    yield "no-end.jpg", jpeg[:-2], None
    yield "no-size.png", header(0, 0), False
    yield "no-width.png", header(0, 9), False
    yield "minus.png", header(0xFFFFFFFF, 0xFFFFFFFF), False
    yield "depth-3.png", header(9, 9, 3), False
    yield "color-5.png", header(9, 9, 8, 5), False
    yield "filter-9.png", header(9, 9, 8, 0, 0, 9, 0), None
    yield "no-palette.png", header(9, 9, 8, 3), None
    yield "crc.png", bytes([*saved(picture(), "PNG")[:29], 0, 0, 0, 0]), False
    yield "no-size.gif", gif_bomb(0, 0), None
    yield "no-frames.gif", b"GIF89a\x01\0\x01\0\x80\0\0\0\0\0\xff\xff\xff\x3b", False
    yield "no-size.bmp", bmp_header(0, 0), False
    yield "bits-99.bmp", bmp_header(8, 8, 99), False
    yield "one-pixel.gif", gif_of(1), True
    yield "deep.png", saved(Image.fromarray(np.full((9, 9), 65535, np.uint16)), "PNG"), True
    yield "bilevel.tiff", saved(picture(mode="1"), "TIFF", compression="group4"), True
    yield "lzw.tiff", saved(picture(), "TIFF", compression="tiff_lzw"), True
    yield "lab.tiff", saved(Image.new("LAB", (9, 9)), "TIFF"), None


def _turn(value: int) -> bytes:
    turned = Image.Exif()
    turned[0x0112] = value
    return turned.tobytes()


_GROUPS: tuple[Callable[[], Iterator[tuple[str, bytes, bool | None]]], ...] = (
    _cuts,
    _mislabelled,
    _polyglots,
    _bombs,
    _odd,
)


@cache
def corpus() -> tuple[Hostile, ...]:
    """Return all of them, those of tests/pictures.py too."""
    made = [Hostile(*row) for group in _GROUPS for row in group()]
    known = [Hostile(f"known-{one.name}", one.data, one.readable) for one in samples()]
    return (*made, *known)
