"""Which part of the picture, at which density, serves which frames.

Knows views and sizes. Must not know pixels. A zoom or a long pan is cut into spans so that each
prescaled level stays small, and overlapping ones so that a change of level can't be seen.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from .values import Extent
from .view import View

WHOLE_RANGE = 1.36  # widest over tightest view, up to which one level serves the whole clip
SPLIT_RANGE = 1.22  # and of the spans that a longer zoom is cut into
MOST_AREA = 10.0  # pixels of a level, in frames
MOST_SIDE = 24000  # pixels of a level; OpenCV's warps count them in 16 bits
SLACK = 1.25  # how much beyond these limits a level may go to fade into the next one
BLEND = 12  # frames in which one level fades into the next
EVEN = 4  # pixels of a region's sides, so that it can be halved twice
_FILTER = 8  # pixels that the filters look at around a region


@dataclass(frozen=True)
class Span:
    """Frames `first` up to `end`, their region of the source, the tightest and the widest view.

    The level serves frames up to `fade`, beyond `end`, while the next one takes over.
    """

    first: int
    end: int
    fade: int
    left: int
    top: int
    right: int
    bottom: int
    tight: float
    wide: float

    @property
    def extent(self) -> Extent:
        """The region's size."""
        return Extent(self.right - self.left, self.bottom - self.top)


@dataclass(frozen=True)
class _Need:
    """What a run of views needs: the box around them, the tightest and the widest one."""

    left: float
    top: float
    right: float
    bottom: float
    tight: float
    wide: float

    def __or__(self, other: _Need) -> _Need:
        return _Need(
            min(self.left, other.left),
            min(self.top, other.top),
            max(self.right, other.right),
            max(self.bottom, other.bottom),
            min(self.tight, other.tight),
            max(self.wide, other.wide),
        )

    def suits(self, limits: _Limits, slack: float = 1.0) -> bool:
        """Tell whether one level of this need stays within the limits."""
        scale = limits.density * limits.frame.width / self.tight
        across, down = (self.right - self.left) * scale, (self.bottom - self.top) * scale
        return (
            across * down <= slack * MOST_AREA * limits.frame.pixels
            and max(across, down) <= slack * MOST_SIDE
            and self.wide <= slack * limits.zoom * self.tight
        )


@dataclass(frozen=True)
class _Limits:
    """What one level may serve: `zoom` is its widest over its tightest view."""

    density: float
    frame: Extent
    zoom: float


def spans(views: Sequence[View], source: Extent, frame: Extent, density: float) -> Iterator[Span]:
    """Cut the frames into spans; each overlaps the next one by BLEND frames where it can."""
    needs = [_need(view) for view in views]
    zoom = max(need.wide for need in needs) / min(need.tight for need in needs)
    limits = _Limits(density, frame, WHOLE_RANGE if zoom <= WHOLE_RANGE else SPLIT_RANGE)
    first = 0
    while first < len(needs):
        need, end = _grown(needs, needs[first], range(first + 1, len(needs)), limits)
        shared = range(end, min(end + BLEND, len(needs)))
        need, fade = _grown(needs, need, shared, limits, SLACK)
        scale = density * frame.width / need.tight
        yield Span(first, end, fade, *_region(need, source, scale), need.tight, need.wide)
        first = end


def _grown(
    needs: Sequence[_Need], need: _Need, more: range, limits: _Limits, slack: float = 1.0
) -> tuple[_Need, int]:
    """Return `need` with as many of the frames `more` as suit, and the first that does not."""
    for index in more:
        if not (need | needs[index]).suits(limits, slack):
            return need, index
        need |= needs[index]
    return need, more.stop


def _need(view: View) -> _Need:
    xs, ys = zip(*view.corners(reached=True), strict=True)
    return _Need(min(xs), min(ys), max(xs), max(ys), view.width, view.width)


def _region(need: _Need, source: Extent, scale: float) -> tuple[int, int, int, int]:
    """Return the region in whole pixels, with what the filters look at around it."""
    pad = 4 + math.ceil(_FILTER / scale)
    left, right = _rounded(need.left - pad, need.right + pad, source.width)
    top, bottom = _rounded(need.top - pad, need.bottom + pad, source.height)
    return left, top, right, bottom


def _rounded(low: float, high: float, most: int) -> tuple[int, int]:
    """Return whole pixels from `low` to `high`, a multiple of EVEN where there is room."""
    first, last = max(math.floor(low), 0), min(math.ceil(high), most)
    wanted = -(-(last - first) // EVEN) * EVEN
    last = min(first + wanted, most)
    return max(last - wanted, 0), last
