"""Pictures of every kind, good and hostile, made here: (name, bytes, whether it can be read)."""

from __future__ import annotations

import io
import struct
import zlib
from dataclasses import dataclass
from functools import cache

import numpy as np
from PIL import Image, ImageCms


@dataclass(frozen=True)
class Sample:
    """A file as somebody might send it; `name` is what they call it."""

    name: str
    data: bytes
    readable: bool

    def __repr__(self) -> str:
        return self.name


def picture(width: int = 96, height: int = 64, mode: str = "RGB") -> Image.Image:
    """Return a smooth picture: red grows to the right, green downwards, blue is 64."""
    x, y = np.meshgrid(np.linspace(0, 255, width), np.linspace(0, 255, height))
    rgb = np.stack([x, y, np.full_like(x, 64)], axis=-1).astype(np.uint8)
    return Image.fromarray(rgb).convert(mode)


def saved(image: Image.Image, kind: str, **options: object) -> bytes:
    """Return `image` as the bytes of a file."""
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def rotated(orientation: int) -> bytes:
    """Return a JPEG with that EXIF orientation."""
    return saved(picture(), "JPEG", quality=95, exif=_exif(orientation))


def bomb(width: int, height: int) -> bytes:
    """Return a tiny PNG that claims to be large (its pixels are zeros)."""
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    rows = zlib.compress(b"\0" * 1000)
    chunks = [(b"IHDR", header), (b"IDAT", rows), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(*chunk) for chunk in chunks)


def _chunk(kind: bytes, body: bytes) -> bytes:
    crc = zlib.crc32(kind + body)
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", crc)


def swapped_profile() -> bytes:
    """Return an ICC profile of a screen whose red and blue lamps are exchanged (ICC.1:2001-04)."""
    red, green, blue = (0.4360, 0.2225, 0.0139), (0.3851, 0.7169, 0.0971), (0.1431, 0.0606, 0.7139)
    curve = b"curv\0\0\0\0" + struct.pack(">IH", 1, int(2.2 * 256)) + b"\0\0"
    told = b"desc\0\0\0\0" + struct.pack(">I", 8) + b"swapped\0" + b"\0" * 80
    tags = {
        b"desc": told,
        b"cprt": b"text\0\0\0\0none\0\0\0\0",
        b"wtpt": _xyz(0.9642, 1.0, 0.8249),
        b"rXYZ": _xyz(*blue),
        b"gXYZ": _xyz(*green),
        b"bXYZ": _xyz(*red),
        **dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), curve),
    }
    at, table, body = 128 + 4 + 12 * len(tags), struct.pack(">I", len(tags)), b""
    for name, data in tags.items():
        table += name + struct.pack(">II", at + len(body), len(data))
        body += data
    head = b"\0" * 4 + struct.pack(">I", 0x02400000) + b"mntrRGB XYZ " + b"\0" * 12 + b"acsp"
    head += b"\0" * 28 + _xyz(0.9642, 1.0, 0.8249)[8:] + b"\0" * 48
    return struct.pack(">I", 128 + len(table) + len(body)) + head + table + body


def _xyz(*values: float) -> bytes:
    return b"XYZ \0\0\0\0" + struct.pack(">3i", *(round(value * 65536) for value in values))


def _animated(kind: str, **options: object) -> bytes:
    frames = [Image.new("RGB", (40, 30), color) for color in ("red", "green", "blue")]
    return saved(frames[0], kind, save_all=True, append_images=frames[1:], duration=100, **options)


def _turned(kind: str, **options: object) -> bytes:
    """Return a file that is not a JPEG, with EXIF orientation 6."""
    return saved(picture(), kind, exif=_exif(6), **options)


def _exif(orientation: int) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = orientation
    return exif.tobytes()


def _deep() -> Image.Image:
    return Image.fromarray(np.linspace(0, 65535, 96 * 64).reshape(64, 96).astype(np.uint16))


def _profiled() -> bytes:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB"))
    return saved(picture(), "JPEG", icc_profile=profile.tobytes())


def _transparent_palette() -> bytes:
    image = picture().quantize(16)
    return saved(image, "PNG", transparency=0)


@cache
def readable() -> tuple[Sample, ...]:
    """Return files that must work."""
    png, jpeg = saved(picture(), "PNG"), saved(picture(), "JPEG")
    rows = [
        ("plain.png", png),
        ("plain.jpg", jpeg),
        ("plain.gif", saved(picture(), "GIF")),
        ("plain.webp", saved(picture(), "WEBP")),
        ("plain.bmp", saved(picture(), "BMP")),
        ("plain.tiff", saved(picture(), "TIFF")),
        ("cmyk.jpg", saved(picture(mode="CMYK"), "JPEG")),
        ("cmyk.tiff", saved(picture(mode="CMYK"), "TIFF")),
        ("gray16.png", saved(_deep(), "PNG")),
        ("gray16.tiff", saved(_deep(), "TIFF")),
        ("float.tiff", saved(picture(mode="F"), "TIFF")),
        ("gray.png", saved(picture(mode="L"), "PNG")),
        ("gray-alpha.png", saved(picture(mode="LA"), "PNG")),
        ("bilevel.png", saved(picture(mode="1"), "PNG")),
        ("palette.png", saved(picture().quantize(16), "PNG")),
        ("palette-alpha.png", _transparent_palette()),
        ("color-key.png", saved(picture(), "PNG", transparency=(0, 0, 64))),
        ("rgba.png", saved(picture(mode="RGBA"), "PNG")),
        ("animated.gif", _animated("GIF")),
        ("animated.webp", _animated("WEBP", lossless=True)),
        ("animated.png", _animated("PNG")),
        ("profile.png", saved(picture(), "PNG", icc_profile=swapped_profile())),
        ("odd-profile.jpg", _profiled()),
        ("broken-profile.png", saved(picture(), "PNG", icc_profile=b"not a profile")),
        ("one-pixel.png", saved(picture(1, 1), "PNG")),
        ("thin.png", saved(picture(30000, 10), "PNG")),
        ("tall.png", saved(picture(3, 4000), "PNG")),
        ("a jpeg called.png", jpeg),
        ("a png called.jpg", png),
        ("trailing.png", png + b"<script>alert(1)</script>"),
        ("polyglot.gif", saved(picture(), "GIF") + b"PK\x03\x04 and a zip"),
        *[(f"turned-{n}.jpg", rotated(n)) for n in range(2, 9)],
        ("turned.png", _turned("PNG")),
        ("turned.webp", _turned("WEBP", lossless=True)),
        ("turned.tiff", saved(picture(), "TIFF", tiffinfo={0x0112: 6})),
    ]
    return tuple(Sample(name, data, True) for name, data in rows)


@cache
def unreadable() -> tuple[Sample, ...]:
    """Return files that must be refused with one sentence."""
    png, jpeg = saved(picture(), "PNG"), saved(picture(), "JPEG")
    rows = [
        ("empty.png", b""),
        ("truncated.png", png[: len(png) // 2]),
        ("truncated.jpg", jpeg[: len(jpeg) // 2]),
        ("header-only.png", png[:16]),
        ("cut.gif", saved(picture(), "GIF")[:20]),
        ("text.png", b"hello, I am not a picture"),
        ("document.png", b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\n"),
        ("drawing.svg", b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"),
        ("drawing-xml.png", b"<?xml version='1.0'?>\n<svg xmlns='http://www.w3.org/2000/svg'/>"),
        ("page.jpg", b"<!doctype html><title>no</title>"),
        ("zip.png", b"PK\x03\x04" + b"\0" * 60),
        ("program.jpg", b"MZ" + b"\0" * 200),
        ("script.gif", b"GIF89a/*" + b"*/=1;alert(1)//" * 3),
        ("bomb-100mp.png", bomb(10000, 10001)),
        ("bomb-4gp.png", bomb(65000, 65000)),
        ("bomb-max.png", bomb(2**31 - 1, 2**31 - 1)),
        ("zeros.png", b"\0" * 4096),
        ("riff.webp", b"RIFF\x24\0\0\0WEBPVP8 " + b"\0" * 24),
        ("video.mp4", b"\0\0\0\x18ftypmp42" + b"\0" * 64),
    ]
    return tuple(Sample(name, data, False) for name, data in rows)


def samples() -> tuple[Sample, ...]:
    """Return all of them."""
    return (*readable(), *unreadable())
