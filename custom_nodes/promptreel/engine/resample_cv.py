"""Levels and frames by OpenCV: band-limited dense planes, sampled linearly.

Knows how planes are filtered and warped. Must not know moves or files. Measured: a level 2.13
times denser than the frame, low-passed by Lanczos near the frame's own limit, makes plain LINEAR
sampling as good as Lanczos at a quarter of CUBIC's cost and without its jitter.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import cast

import cv2
import numpy as np

from .planes import Affine, Level, Plane, Values, cutoff, plane_over, region, view_affine
from .relief import Bend, Floats
from .spans import Span
from .upright import bordered, drawn
from .values import Extent, Picture

DENSITY = 2.13
DENSEST = 3.0  # denser sources are averaged; up to here the low-pass hides CUBIC's aliases
SPARSEST = 1.6  # a sparser level would make linear sampling blunt
BEATING = 0.06  # so near to a whole density all pixels share one phase, and sharpness beats

GRID = 4  # frame pixels along the cells that a bent frame's map is told for

# RGB to limited-range Y, U and V: the luma coefficients of ITU-R BT.709-6, item 3.
_RED, _GREEN, _BLUE = 0.2126, 0.7152, 0.0722
_U, _V = 224 / 255 / (2 - 2 * _BLUE), 224 / 255 / (2 - 2 * _RED)
_TO_YUV = np.array(
    [
        [219 / 255 * _RED, 219 / 255 * _GREEN, 219 / 255 * _BLUE, 16],
        [-_U * _RED, -_U * _GREEN, _U * (1 - _BLUE), 128],
        [_V * (1 - _RED), -_V * _GREEN, -_V * _BLUE, 128],
    ],
    np.float32,
)

_LEFT: Affine = np.array([[1.0, 0.0, -0.5], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
_SAMPLE = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP


class CvResampler:
    """The resampler of choice."""

    density = DENSITY

    def level(self, picture: Picture, span: Span, frame: Extent) -> Level[Values]:
        """Return band-limited Y, U and V planes of the span's region."""
        rgb, native = _thinned(region(picture, span), span.tight / frame.width)
        densities = (native, 2 * native, 2 * native)
        with ThreadPoolExecutor(2, "level") as threads:
            return list(threads.map(_plane, _to_yuv(rgb), densities, (span,) * 3))

    def draw(self, plane: Plane[Values], to_source: Affine, out: Values) -> None:
        """Sample one plane by an affine map."""
        to_plane = plane.from_source @ to_source
        if not drawn(plane.pixels, to_plane, out):
            matrix, size = _indexed(to_plane)[:2], (out.shape[1], out.shape[0])
            cv2.warpAffine(
                plane.pixels, matrix, size, out, _SAMPLE, borderMode=cv2.BORDER_REPLICATE
            )

    def bend(self, level: Level[Values], bend: Bend, out: tuple[Values, ...]) -> None:
        """Sample the planes through the rubber sheet, told for cells and enlarged linearly.

        Chroma looks where luma does half a pixel to the left, its own place.
        """
        to_source = view_affine(bend.view, bend.frame)
        u, v = _sheet(bend)
        luma = _mapped(level[0].from_source @ to_source, u, v)
        chroma = _mapped(level[1].from_source @ to_source @ _LEFT, u, v)
        y_map = [_enlarged(points, GRID, out[0]) for points in luma]
        uv_map = [_enlarged(points, GRID // 2, out[1]) for points in chroma]
        for plane, (x, y), values in zip(level, (y_map, uv_map, uv_map), out, strict=True):
            cv2.remap(plane.pixels, x, y, cv2.INTER_LINEAR, values, cv2.BORDER_REPLICATE)

    def blend(self, first: Values, second: Values, part: float) -> None:
        """Fade the first plane into the second one."""
        cv2.addWeighted(first, 1 - part, second, part, 0.0, first)


def _to_yuv(rgb: Picture) -> Sequence[Values]:
    """Convert like `planes.to_yuv`, five times faster; one in twenty values is 1 off."""
    return cast("Sequence[Values]", cv2.split(cv2.transform(rgb, _TO_YUV)))


def _resized(values: Values, factor: float, how: int) -> Values:
    height, width = values.shape[:2]
    size = max(round(width * factor), 1), max(round(height * factor), 1)
    return cast("Values", cv2.resize(values, size, interpolation=how))


def _thinned(values: Values, density: float) -> tuple[Values, float]:
    """Return the values averaged down to DENSEST or less, and their density.

    Whole halves first: OpenCV averages 2x2 pixels sixty times faster than other areas.
    """
    while density > max(DENSEST, 2 * SPARSEST) and not any(n % 2 for n in values.shape[:2]):
        values, density = _resized(values, 0.5, cv2.INTER_AREA), density / 2
    if density <= DENSEST:
        return values, density
    return _resized(values, DENSITY / density, cv2.INTER_AREA), DENSITY


def _plane(values: Values, density: float, span: Span) -> Plane[Values]:
    """Return the plane without what the frame can't show, resized where its density is off."""
    limit = cutoff(span)
    values, density = _thinned(values, density)
    if not _suits(density, span):
        values = _resized(values, DENSITY / density, cv2.INTER_CUBIC)
    if density > limit:
        values = _lowpass(values, (density if _suits(density, span) else DENSITY) / limit)
    return bordered(plane_over(values, Extent.of(values), span))


def _suits(density: float, span: Span) -> bool:
    """Tell whether a density is good as it is, at the tightest and up to the widest view."""
    widest = density * span.wide / span.tight
    whole = math.floor(widest + BEATING)
    return density >= SPARSEST and widest <= DENSEST and density > whole + BEATING


def _lowpass(values: Values, stretch: float) -> Values:
    kernel = _lanczos(round(stretch, 3))
    return cast(
        "Values", cv2.sepFilter2D(values, -1, kernel, kernel, borderType=cv2.BORDER_REFLECT)
    )


@cache
def _lanczos(stretch: float) -> Floats:
    """Return the Lanczos window of 3 lobes, each `stretch` pixels wide."""
    reach = int(3 * stretch)
    x = np.arange(-reach, reach + 1) / stretch
    kernel = np.sinc(x) * np.sinc(x / 3)
    return (kernel / kernel.sum()).astype(np.float32)


def _indexed(continuous: Affine) -> Affine:
    """Return the map between pixel indices: their centres lie half a pixel in."""
    moved = np.array(continuous)
    moved[:2, 2] += 0.5 * (continuous[:2, 0] + continuous[:2, 1]) - 0.5
    return moved


def _indexed_rows(continuous: Affine) -> Affine:
    """Return the map from continuous coordinates to pixel indices."""
    moved = np.array(continuous)
    moved[:2, 2] -= 0.5
    return moved


def _sheet(bend: Bend) -> tuple[Floats, Floats]:
    """Return where the middles of GRID x GRID cells look, one cell beyond each border."""
    columns, rows = (
        GRID * (np.arange(-(-side // GRID) + 2, dtype=np.float32) - np.float32(0.5))
        for side in (bend.frame.width, bend.frame.height)
    )
    start = (0.5 - 1) * GRID
    grid = np.array([[GRID, 0.0, start], [0.0, GRID, start], [0.0, 0.0, 1.0]])
    relief = cv2.warpAffine(
        bend.relief.field,
        (_indexed_rows(bend.to_field) @ grid)[:2],
        (len(columns), len(rows)),
        flags=_SAMPLE,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return bend.moved(cast("Floats", relief), columns[None, :], rows[:, None])


def _mapped(to_plane: Affine, u: Floats, v: Floats) -> tuple[Floats, Floats]:
    """Return the plane's pixel indices at points of the frame."""
    (a, b, c), (d, e, f), _ = _indexed_rows(to_plane).tolist()
    return _mixed(u, a, v, b, c), _mixed(u, d, v, e, f)


def _enlarged(points: Floats, times: int, out: Values) -> Floats:
    """Return the sheet at the centres of the pixels of `out`, `times` for each cell."""
    height, width = points.shape
    size = (times * width, times * height)
    large = cv2.resize(points, size, interpolation=cv2.INTER_LINEAR)
    inner = large[times : times + out.shape[0], times : times + out.shape[1]]
    return cast("Floats", inner)


def _mixed(u: Floats, a: float, v: Floats, b: float, c: float) -> Floats:
    """Return a*u + b*v + c."""
    return cast("Floats", cv2.addWeighted(u, a, v, b, c))
