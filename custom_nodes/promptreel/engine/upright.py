"""Views that aren't turned, by plain resizing: as exact as OpenCV's warp, at half of its cost.

cv2.resize starts at a whole pixel, and a view seldom does. A view that is some columns and rows
larger starts as near to one as is asked; what it has too much is cut off again. Knows pixels and
affine maps. Must not know pictures or levels.
"""

from __future__ import annotations

import math
from typing import cast

import cv2
import numpy as np

from .planes import Affine, Plane, Values

NEAR = 0.005  # of the frame's pixels: how far beside its place a frame may lie
MOST = 96  # columns or rows that a view may be larger by; for the few that need more: a warp
BORDER = 3 * MOST  # pixels of a plane that those show: a plane is at most 3 times denser
_BEYOND = 4  # pixels after the last one, for what is rounded up

_EXTRA = np.arange(MOST)


def bordered(plane: Plane[Values]) -> Plane[Values]:
    """Return the plane with its edges repeated, so that larger views find pixels there."""
    moved = np.array(plane.from_source)
    moved[:2, 2] += BORDER
    sides = (BORDER, _BEYOND, BORDER, _BEYOND)
    pixels = cv2.copyMakeBorder(plane.pixels, *sides, cv2.BORDER_REPLICATE)
    return Plane(cast("Values", pixels), moved)


def drawn(pixels: Values, to_plane: Affine, out: Values) -> bool:
    """Fill `out` where that can be done by resizing; tell whether it could.

    `to_plane` maps continuous coordinates of `out` to those of the pixels.
    """
    (a, b, c), (d, e, f), _ = to_plane.tolist()
    across, down = _whole(a, c), _whole(e, f)
    if b or d or not across or not down:
        return False
    (left, columns), (top, rows) = across, down
    height, width = out.shape
    right = left + math.ceil(a * (columns + width)) + 1
    bottom = top + math.ceil(e * (rows + height)) + 1
    part = pixels[top:bottom, left:right]
    # Without a size OpenCV takes the factors as they are, else it would round them.
    large = cv2.resize(part, None, fx=1 / a, fy=1 / e, interpolation=cv2.INTER_LINEAR)
    out[:] = large[rows : rows + height, columns : columns + width]
    return True


def _whole(scale: float, offset: float) -> tuple[int, int] | None:
    """Return a whole pixel to start from and how many of the frame's lie before `offset` then."""
    starts = offset - scale * _EXTRA
    whole = np.rint(starts)
    fits = (np.abs(starts - whole) <= NEAR * scale) & (whole >= 0)
    extra = int(np.argmax(fits))
    return (int(whole[extra]), extra) if fits[extra] else None
