"""Fits a camera's raw poses into a picture: how wide the frame may be and where it starts.

Knows poses and sizes. Must not know moves or time. The widest window that holds the whole path
is taken in closed form; journeys that would crop too much are shortened.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from .moves import Pose
from .values import Extent
from .view import RELIEF

MOST_ZOOM = math.log(3.0)  # from the widest to the tightest view
MOST_ROLL = math.radians(25)
MOST_SHIFT = 0.1  # frame widths of parallax from end to end
MOST_PUSH = 0.28
LEAST_WIDTH = 0.62  # of the widest possible window: what travel may crop to
EYE_LINE = 0.45  # a tall picture in a wide frame: look above the middle, where faces are

_AT_REST = Pose()
_UNCHANGED = Pose(1, 1, 1, 1, 1, 1, 1, 1)
_Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Fit:
    """What turns a raw pose into one inside of the picture.

    `unit` is the width in source pixels of a view whose zoom is 0; `factors` shrink the raw
    pose, `start` is added to it.
    """

    unit: float = 1.0
    factors: Pose = _UNCHANGED
    start: Pose = _AT_REST

    def apply(self, pose: Pose) -> Pose:
        """Return the pose as it is seen."""
        k, s = self.factors, self.start
        return Pose(
            s.x + k.x * pose.x,
            s.y + k.y * pose.y,
            s.zoom + k.zoom * pose.zoom,
            s.roll + k.roll * pose.roll,
            s.shift_x + k.shift_x * pose.shift_x,
            s.shift_y + k.shift_y * pose.shift_y,
            s.push + k.push * pose.push,
        )


def fit(poses: Sequence[Pose], source: Extent, aspect: float) -> Fit:
    """Return the fit of a path given by its samples."""
    first = _moderate(_Samples.of(poses))
    samples = _Samples.of([first.apply(pose) for pose in poses])
    travel = _travel(samples, source, aspect)
    unit = samples.unit(travel, source, aspect)
    start = replace(
        first.start,
        x=_start(samples.half_width(aspect), samples.x * travel, source.width / unit, 0.0),
        y=_start(
            samples.half_height(aspect),
            samples.y * travel,
            source.height / unit,
            EYE_LINE if source.aspect < aspect else 0.0,
        ),
    )
    return Fit(unit, replace(first.factors, x=travel, y=travel), start)


@dataclass(frozen=True, eq=False)
class _Samples:
    """The columns of a path's poses."""

    x: _Floats
    y: _Floats
    zoom: _Floats
    roll: _Floats
    shift_x: _Floats
    shift_y: _Floats
    push: _Floats

    @staticmethod
    def of(poses: Sequence[Pose]) -> _Samples:
        """Return the columns of `poses`."""
        rows = [(p.x, p.y, p.zoom, p.roll, p.shift_x, p.shift_y, p.push) for p in poses]
        return _Samples(*(np.array(column, np.float64) for column in zip(*rows, strict=True)))

    def half_width(self, aspect: float) -> _Floats:
        """Return half of what each view spans across, in units."""
        a, b = self._halves(aspect)
        return np.exp(-self.zoom) * (a * np.abs(np.cos(self.roll)) + b * np.abs(np.sin(self.roll)))

    def half_height(self, aspect: float) -> _Floats:
        """Return half of what each view spans downwards, in units."""
        a, b = self._halves(aspect)
        return np.exp(-self.zoom) * (a * np.abs(np.sin(self.roll)) + b * np.abs(np.cos(self.roll)))

    def unit(self, travel: float, source: Extent, aspect: float) -> float:
        """Return the largest unit with which the whole path lies inside of the source.

        A view spans x-h..x+h units. All of them fit where the widest spread, max(h+x) + max(h-x),
        is not wider than the source.
        """
        across = _spread(self.half_width(aspect), self.x * travel)
        down = _spread(self.half_height(aspect), self.y * travel)
        return min(source.width / across, source.height / down)

    def _halves(self, aspect: float) -> tuple[_Floats, _Floats]:
        push = np.abs(self.push) / 2
        a = 0.5 + RELIEF * (np.abs(self.shift_x) + push)
        return a, 0.5 / aspect + RELIEF * (np.abs(self.shift_y) + push / aspect)


def _spread(half: _Floats, at: _Floats) -> float:
    return float(np.max(half + at) + np.max(half - at))


def _start(half: _Floats, at: _Floats, room: float, raised: float) -> float:
    """Return the start that puts the path's middle in the picture's, or as near as fits.

    `raised` moves it towards the top by that part of the room that is left.
    """
    low = -room / 2 + float(np.max(half - at))
    high = room / 2 - float(np.max(half + at))
    middle = -float(np.max(at) + np.min(at)) / 2
    return min(max(middle - raised * (high - low) / 2, low), max(high, low))


def _travel(samples: _Samples, source: Extent, aspect: float) -> float:
    """Return by how much travel is shortened: 1 unless it crops below LEAST_WIDTH."""
    least = LEAST_WIDTH * samples.unit(0.0, source, aspect)
    if samples.unit(1.0, source, aspect) >= least:
        return 1.0
    low, high = 0.0, 1.0
    for _ in range(24):
        middle = (low + high) / 2
        fits = samples.unit(middle, source, aspect) >= least
        low, high = (middle, high) if fits else (low, middle)
    return low


def _moderate(samples: _Samples) -> Fit:
    """Return the factors that keep zoom, roll and parallax tasteful; parallax around its middle."""
    k = Pose(
        1,
        1,
        _factor(float(np.ptp(samples.zoom)), MOST_ZOOM),
        _factor(float(np.max(np.abs(samples.roll))), MOST_ROLL),
        _factor(float(np.ptp(samples.shift_x)), MOST_SHIFT),
        _factor(float(np.ptp(samples.shift_y)), MOST_SHIFT),
        _factor(float(np.ptp(samples.push)), MOST_PUSH),
    )
    start = Pose(
        shift_x=-k.shift_x * _middle(samples.shift_x),
        shift_y=-k.shift_y * _middle(samples.shift_y),
        push=-k.push * _middle(samples.push),
    )
    return Fit(factors=k, start=start)


def _factor(value: float, most: float) -> float:
    return most / value if value > most else 1.0


def _middle(values: _Floats) -> float:
    return float(np.max(values) + np.min(values)) / 2
