"""What lies between the camera and the scene: haze, bloom, lamps, a vignette, grain.

Knows pixels of a Pillow image. Must not know looks.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageChops, ImageFilter

_MAP = 256  # longest side of the maps that are blown up to the picture's size
_BLOOM = 512
_TILE = 512  # side of the grain that is laid out over the picture


def haze(image: Image.Image, amount: float, air: Sequence[float]) -> Image.Image:
    """Lay air over the picture: thicker in the upper part, where a scene usually is far away."""
    small = _reduced(image, _MAP)
    y = np.linspace(0, 1, small.height)[:, None]
    thick = np.broadcast_to(amount * (1.25 - 0.75 * y), (small.height, small.width))
    mask = _map(thick, image)
    color = tuple(round(255 * channel) for channel in air)
    return Image.composite(Image.new("RGB", image.size, color), image, mask)


def bloom(image: Image.Image, amount: float, glow: Sequence[float]) -> Image.Image:
    """Let bright places shine into their neighbourhood, in the colour of `glow`."""
    small = _reduced(image, _BLOOM)
    table = [
        round(min(255.0, amount * strength * max(0, value - 110) * 255 / 145))
        for strength in glow
        for value in range(256)
    ]
    light = small.point(table).filter(ImageFilter.GaussianBlur(_BLOOM / 40))
    return ImageChops.screen(image, light.resize(image.size, Image.Resampling.BILINEAR))


def vignette(image: Image.Image, amount: float) -> Image.Image:
    """Darken towards the corners, by up to `amount` there (cosine fourth law's shape)."""
    small = _reduced(image, _MAP)
    x, y = np.linspace(-1, 1, small.width)[None, :], np.linspace(-1, 1, small.height)[:, None]
    falloff = np.cos(np.arctan(np.sqrt(x * x + y * y) * 0.95)) ** 4
    corner = np.cos(np.arctan(np.sqrt(2.0) * 0.95)) ** 4
    shade = 1 - amount * (1 - falloff) / (1 - corner)
    return Image.composite(image, Image.new("RGB", image.size), _map(shade, image))


def grain(image: Image.Image, amount: float) -> Image.Image:
    """Add film grain; the same picture always gets the same grain."""
    noise = np.random.default_rng(1895).normal(128, 14 * amount, (_TILE, _TILE))
    tile = np.minimum(np.maximum(np.rint(noise), 0), 255).astype(np.uint8)
    rows, columns = -(-image.height // _TILE), -(-image.width // _TILE)
    laid = Image.fromarray(np.tile(tile, (rows, columns))[: image.height, : image.width])
    return ImageChops.add(image, Image.merge("RGB", (laid, laid, laid)), 1, -128)


def lamps(image: Image.Image, lit: Image.Image, amount: float) -> Image.Image:
    """Leave lamps and other small bright places of `lit` shining, and let them glow.

    A place counts by how much brighter it is than what surrounds it, so that a white sky or wall
    goes dark with the rest.
    """
    luma = lit.convert("L")
    around = _reduced(luma, _BLOOM).filter(ImageFilter.GaussianBlur(_BLOOM / 16))
    above = ImageChops.subtract(luma, around.resize(luma.size, Image.Resampling.BILINEAR))
    bright = luma.point(_ramp(190, 245, 1.0))
    mask = ImageChops.multiply(above.point(_ramp(40, 120, amount)), bright)
    small = _reduced(lit, _BLOOM)
    light = Image.composite(small, Image.new("RGB", small.size), _reduced(mask, _BLOOM))
    glow = light.filter(ImageFilter.GaussianBlur(_BLOOM / 60))
    shining = Image.composite(lit, image, mask)
    return ImageChops.screen(shining, glow.resize(image.size, Image.Resampling.BILINEAR))


def _ramp(low: int, high: int, top: float) -> list[int]:
    """Return a table of 256 that climbs from 0 at `low` to 255 * `top` at `high`."""
    return [round(255 * top * min(max((v - low) / (high - low), 0), 1)) for v in range(256)]


def _reduced(image: Image.Image, side: int) -> Image.Image:
    scale = side / max(image.size)
    size = (max(round(image.width * scale), 2), max(round(image.height * scale), 2))
    return image.resize(size, Image.Resampling.BILINEAR, reducing_gap=2.0)


def _map(values: npt.NDArray[np.float64], image: Image.Image) -> Image.Image:
    """Return a mask of the picture's size from a small map of 0..1."""
    scaled = np.minimum(np.maximum(values, 0), 1) * 255 + 0.5  # L truncates
    small = Image.fromarray(np.ascontiguousarray(scaled, dtype=np.float32))
    return small.resize(image.size, Image.Resampling.BICUBIC).convert("L")
