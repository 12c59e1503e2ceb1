"""Levels and frames by Pillow, for where OpenCV is absent: slower, and just as smooth.

Unturned views are float boxes resized by BICUBIC from a level 1.33 times denser than the frame.
Turned and bent ones are sampled linearly from a level as dense and band-limited as OpenCV's.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

import numpy as np
from PIL import Image

from .planes import (
    TO_FRAME,
    Affine,
    Level,
    Plane,
    Values,
    cutoff,
    plane_over,
    region,
    to_yuv,
    view_affine,
)
from .relief import Bend, Floats
from .spans import Span
from .values import Extent, Picture

BOX_DENSITY = 1.33
TURN_DENSITY = 2.13
CELL = 32  # frame pixels along each side of the quads that a bent frame is made of
_EDGE = 2  # pixels repeated around a level: Pillow paints black beyond the last one

_Quad: TypeAlias = tuple[tuple[int, int, int, int], tuple[float, ...]]


class PillowResampler:
    """The fallback."""

    def __init__(self, *, turning: bool) -> None:
        self._turning = turning
        self.density = TURN_DENSITY if turning else BOX_DENSITY

    def level(self, picture: Picture, span: Span, frame: Extent) -> Level[Image.Image]:
        """Return Y, U and V planes of the span's region."""
        native = span.tight / frame.width
        rgb = Image.fromarray(region(picture, span))
        if native > self.density:
            rgb = rgb.resize(_size(rgb, self.density / native), Image.Resampling.LANCZOS)
            native = self.density
        planes = zip(to_yuv(np.asarray(rgb)), (native, 2 * native, 2 * native), strict=True)
        resized = _turned if self._turning else _boxed
        return [_edged(resized(Image.fromarray(p), density, span), span) for p, density in planes]

    def draw(self, plane: Plane[Image.Image], to_source: Affine, out: Values) -> None:
        """Sample one plane: by a box, or by an affine map where the picture turns."""
        (a, b, c), (d, e, f), _ = (plane.from_source @ to_source).tolist()
        height, width = out.shape
        if self._turning:
            affine = (a, b, c, d, e, f)
            kind, filtered = Image.Transform.AFFINE, Image.Resampling.BILINEAR
            image = plane.pixels.transform((width, height), kind, affine, filtered)
        else:
            box = _inside((c, f, c + a * width, f + e * height), plane.pixels)
            image = plane.pixels.resize((width, height), Image.Resampling.BICUBIC, box)
        out[:] = np.asarray(image)

    def bend(self, level: Level[Image.Image], bend: Bend, out: tuple[Values, ...]) -> None:
        """Sample the planes through the rubber sheet, told on the corners of CELLs."""
        to_source = view_affine(bend.view, bend.frame)
        for plane, to_frame, values in zip(level, TO_FRAME, out, strict=True):
            height, width = values.shape
            quads = list(_quads(bend, plane.from_source @ to_source, to_frame, width, height))
            kind, filtered = Image.Transform.MESH, Image.Resampling.BILINEAR
            image = plane.pixels.transform((width, height), kind, quads, filtered)
            values[:] = np.asarray(image)

    def blend(self, first: Values, second: Values, part: float) -> None:
        """Fade the first plane into the second one."""
        first[:] = np.asarray(Image.blend(Image.fromarray(first), Image.fromarray(second), part))


def _turned(image: Image.Image, density: float, span: Span) -> Image.Image:
    limit, size = cutoff(span), _size(image, TURN_DENSITY / density)
    if density > limit:
        image = image.resize(_size(image, limit / density), Image.Resampling.LANCZOS)
    return image.resize(size, Image.Resampling.LANCZOS)


def _boxed(image: Image.Image, density: float, _span: Span) -> Image.Image:
    if 1 <= density <= BOX_DENSITY:
        return image
    return image.resize(_size(image, BOX_DENSITY / density), Image.Resampling.LANCZOS)


def _size(image: Image.Image, factor: float) -> tuple[int, int]:
    return max(round(image.width * factor), 1), max(round(image.height * factor), 1)


def _edged(image: Image.Image, span: Span) -> Plane[Image.Image]:
    """Return the plane with its border pixels repeated."""
    plane: Plane[Image.Image] = plane_over(image, Extent(*image.size), span)
    moved = np.array(plane.from_source)
    moved[:2, 2] += _EDGE
    return Plane(Image.fromarray(np.pad(np.asarray(image), _EDGE, mode="edge")), moved)


def _inside(
    box: tuple[float, float, float, float], image: Image.Image
) -> tuple[float, float, float, float]:
    left, top, right, bottom = box
    return max(left, 0.0), max(top, 0.0), min(right, image.width), min(bottom, image.height)


def _quads(
    bend: Bend, to_plane: Affine, to_frame: Affine, width: int, height: int
) -> Iterator[_Quad]:
    """Yield each cell of a plane and the four points of the level that its corners show."""
    step = round(CELL / to_frame[0, 0])
    columns, rows = [*range(0, width, step), width], [*range(0, height, step), height]
    x, y = _points(bend, to_plane, to_frame, columns, rows)
    for j in range(len(rows) - 1):
        for i in range(len(columns) - 1):
            corners = ((j, i), (j + 1, i), (j + 1, i + 1), (j, i + 1))
            points = tuple(float(axis[at]) for at in corners for axis in (x, y))
            yield (columns[i], rows[j], columns[i + 1], rows[j + 1]), points


def _points(
    bend: Bend, to_plane: Affine, to_frame: Affine, columns: list[int], rows: list[int]
) -> tuple[Floats, Floats]:
    across = (to_frame[0, 0] * np.array(columns) + to_frame[0, 2]).astype(np.float32)[None, :]
    down = (to_frame[1, 1] * np.array(rows) + to_frame[1, 2]).astype(np.float32)[:, None]
    (a, b, c), (d, e, f), _ = bend.to_field.tolist()
    relief = _sampled(bend.relief.field, a * across + b * down + c, d * across + e * down + f)
    u, v = bend.moved(relief, across, down)
    (a, b, c), (d, e, f), _ = to_plane.tolist()
    return a * u + b * v + c, d * u + e * v + f


def _sampled(field: Floats, x: Floats, y: Floats) -> Floats:
    """Sample a field linearly at continuous coordinates, its border repeated."""
    height, width = field.shape
    u = np.minimum(np.maximum(x - 0.5, 0), width - 1)
    v = np.minimum(np.maximum(y - 0.5, 0), height - 1)
    i, j = np.minimum(u.astype(int), width - 2), np.minimum(v.astype(int), height - 2)
    i, j = np.maximum(i, 0), np.maximum(j, 0)
    p, q = u - i, v - j
    right, below = np.minimum(i + 1, width - 1), np.minimum(j + 1, height - 1)
    top = field[j, i] * (1 - p) + field[j, right] * p
    bottom = field[below, i] * (1 - p) + field[below, right] * p
    return (top * (1 - q) + bottom * q).astype(np.float32)
