"""Turns seconds and sizes into what a model can make. Pure arithmetic; knows no family."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import product

FAR = 2.0  # times the pixels a model was made for: beyond, its videos fall apart
SLIMMEST = 3.0  # of the longer side over the shorter; the service crops pictures to that too
_TIE = 1e-9  # of a frame step: 0.58 * 25 is a tie too, though floats put it a hair below


@dataclass(frozen=True)
class StillLimits:
    """The sizes of a picture: sides are multiples of `side_step` from `min_side` to `max_side`.

    `extent` is the default width and height in pixels. `largest` is the largest size that the model
    was made for; None: `extent`.
    """

    side_step: int
    extent: tuple[int, int]
    min_side: int = 64
    max_side: int = 4096
    largest: tuple[int, int] | None = None

    @property
    def made_for(self) -> tuple[int, int]:
        """Return the largest width and height that the model was made for."""
        return self.largest or self.extent

    def beyond(self, width: int, height: int) -> float:
        """Return how many times the pixels that it was made for a size has, where that is far."""
        times = width * height / (self.made_for[0] * self.made_for[1])
        return times if times > FAR else 0.0

    def extent_near(self, width: float, height: float) -> tuple[int, int]:
        """Return the legal size next to a size: nearest in aspect first, then in area.

        A size out of bounds is brought into them with its aspect, as far as that goes.
        """
        width, height = self._bounded(width, height)
        sides = (self._around(width), self._around(height))
        return min(product(*sides), key=lambda found: _distance(found, (width, height)))

    def extent_for(self, width: float, height: float) -> tuple[int, int]:
        """Return the legal size of the default area with the aspect of a width and height."""
        width, height = max(width, 1e-6), max(height, 1e-6)
        scale = math.sqrt(self.extent[0] * self.extent[1] / (width * height))
        return self.extent_near(width * scale, height * scale)

    def _bounded(self, width: float, height: float) -> tuple[float, float]:
        """Return a size scaled so that its sides are within the limits."""
        width, height = max(width, 1e-6), max(height, 1e-6)
        scale = max(self.min_side / min(width, height), 1.0)
        scale *= min(self.max_side / (max(width, height) * scale), 1.0)
        return width * scale, height * scale

    def _around(self, side: float) -> tuple[int, int]:
        """Return the legal sides below and above a side; twice the same if it is legal."""
        steps = side / self.side_step
        return self._clamped(math.floor(steps)), self._clamped(math.ceil(steps))

    def _clamped(self, steps: int) -> int:
        least = math.ceil(self.min_side / self.side_step)
        return min(max(steps, least), self.max_side // self.side_step) * self.side_step


@dataclass(frozen=True)
class Limits(StillLimits):
    """What a video model can make: frame counts are `frame_step` * n + `frame_offset`.

    `fps` is the native rate; `max_frames` is what the model was trained or is recommended for.
    """

    frame_step: int = 1
    frame_offset: int = 0
    min_frames: int = 1
    max_frames: int = 1
    fps: float = 24.0
    takes_end: bool = False

    def frames(self, seconds: float, fps: float | None = None) -> int:
        """Return the legal frame count nearest to `seconds` at `fps` (None: the native rate).

        The offset is the start picture itself, so 5 s at 16 fps with 4n+1 are 81 frames. Of two
        counts that are equally near it is the longer one.
        """
        steps = seconds * (fps or self.fps) / self.frame_step
        count = math.floor(steps + 0.5 + _TIE)
        least = math.ceil((self.min_frames - self.frame_offset) / self.frame_step)
        most = (self.max_frames - self.frame_offset) // self.frame_step
        return min(max(count, least), most) * self.frame_step + self.frame_offset

    def seconds(self, fps: float | None = None) -> float:
        """Return the length of the longest clip at `fps` (None: the native rate)."""
        return self.max_frames / (fps or self.fps)


def is_slim(width: float, height: float) -> bool:
    """Tell whether a shape is slimmer than videos are."""
    return max(width, height) > min(width, height) * SLIMMEST * (1 + _TIE)


def bounded(picture: tuple[int, int]) -> tuple[float, float]:
    """Return the shape of a picture, cropped where it is slimmer than videos are."""
    width, height = picture
    return min(width, height * SLIMMEST), min(height, width * SLIMMEST)


def _distance(found: tuple[int, int], asked: tuple[float, float]) -> float:
    """Return how far two sizes are apart: log ratios of aspect and of area."""
    width, height = (math.log(one / other) for one, other in zip(found, asked, strict=True))
    return abs(width - height) + abs(width + height) / 2
