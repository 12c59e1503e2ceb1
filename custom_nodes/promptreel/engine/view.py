"""One instant of the camera: which rotated window of the picture fills the frame.

Knows geometry only. Source and frame coordinates are continuous: the first pixel's centre is
at (0.5, 0.5).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TypeAlias

from .values import Extent

Point: TypeAlias = tuple[float, float]
Matrix: TypeAlias = tuple[tuple[float, float, float], tuple[float, float, float]]

# Depth is told from the plane that stands still (`relief.relief`): at most this far from it.
RELIEF = 0.7


@dataclass(frozen=True)
class View:
    """A window of the source: centre, width and height in source pixels, roll clockwise in radians.

    `shift_x`, `shift_y` (frame widths) and `push` (a part of the scale) say how far the parallax
    moves a point of relief 1; relief lies within -RELIEF..RELIEF.
    """

    x: float
    y: float
    width: float
    height: float
    roll: float = 0.0
    shift_x: float = 0.0
    shift_y: float = 0.0
    push: float = 0.0

    @property
    def reach(self) -> Point:
        """How far parallax may look beside the window, in source pixels, along its sides."""
        push = abs(self.push) / 2
        across = RELIEF * (abs(self.shift_x) + push) * self.width
        return across, RELIEF * (abs(self.shift_y) * self.width + push * self.height)

    def corners(self, *, reached: bool = False) -> tuple[Point, Point, Point, Point]:
        """Return the window's corners in the source, with what parallax reaches if asked."""
        rx, ry = self.reach if reached else (0.0, 0.0)
        a, b = self.width / 2 + rx, self.height / 2 + ry
        cos, sin = math.cos(self.roll), math.sin(self.roll)

        def corner(u: float, v: float) -> Point:
            return self.x + u * cos - v * sin, self.y + u * sin + v * cos

        return corner(-a, -b), corner(a, -b), corner(a, b), corner(-a, b)

    def matrix(self, frame: Extent) -> Matrix:
        """Return the affine map from frame to source coordinates, both continuous."""
        kx, ky = self.width / frame.width, self.height / frame.height
        cos, sin = math.cos(self.roll), math.sin(self.roll)
        a, b, c, d = kx * cos, -ky * sin, kx * sin, ky * cos
        u, v = frame.width / 2, frame.height / 2
        return (a, b, self.x - a * u - b * v), (c, d, self.y - c * u - d * v)


def spread(width: float, height: float, roll: float) -> Point:
    """Return the width and height of the box around a rotated window."""
    cos, sin = abs(math.cos(roll)), abs(math.sin(roll))
    return width * cos + height * sin, width * sin + height * cos


def inside(view: View, source: Extent) -> View:
    """Return the nearest view that shows nothing beside the picture, parallax included."""
    rx, ry = view.reach
    across, down = spread(view.width + 2 * rx, view.height + 2 * ry, view.roll)
    shrink = min(1.0, source.width / across, source.height / down)
    half_x, half_y = across * shrink / 2, down * shrink / 2
    return replace(
        view,
        x=min(max(view.x, half_x), source.width - half_x),
        y=min(max(view.y, half_y), source.height - half_y),
        width=view.width * shrink,
        height=view.height * shrink,
    )
