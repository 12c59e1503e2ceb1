"""The camera's path: shots to a pure function of time that never leaves the picture.

Zoom is a logarithm, so that its perceived speed is constant. Knows moves, time and sizes. Must
not know pixels' values or video files.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from .easing import Ease
from .fit import Fit, fit
from .moves import Pose, Room, change
from .shake import Sway, sways
from .values import Extent, Shot
from .view import View, inside

SWAY_X, SWAY_Y = 0.009, 0.007  # frame widths, for a shake of 1
SWAY_ROLL = math.radians(0.4)
SWAY_ZOOM = 0.006
END_RAMP = 0.25  # part of a shot in which it starts from rest, or comes to rest
JOIN_RAMP = 0.4  # part of the shorter shot in which it hands over to the next one
LEAST_SHARE = 0.1  # of an even share: what a shot without a length gets at least

_UNFITTED = Fit()
_SAMPLES = 96  # a shot, to fit the path
_SWAY_SAMPLES = 30  # a second


@dataclass(frozen=True)
class Leg:
    """One shot on the clip's time line: when, and what it changes in all."""

    ease: Ease
    change: Pose


@dataclass(frozen=True)
class CameraPath:
    """Where the camera looks at each time; a pure function. Made by `camera_path`."""

    source: Extent
    aspect: float
    seconds: float
    legs: tuple[Leg, ...]
    sway: tuple[Sway, ...]
    fitted: Fit = _UNFITTED

    def __call__(self, t: float) -> View:
        """Return the same as `at`."""
        return self.at(t)

    def at(self, t: float) -> View:
        """Return the view at `t`, 0 (first frame) to 1 (last frame)."""
        pose, unit = self.fitted.apply(self.raw(t)), self.fitted.unit
        width = unit * math.exp(-pose.zoom)
        view = View(
            self.source.width / 2 + unit * pose.x,
            self.source.height / 2 + unit * pose.y,
            width,
            width / self.aspect,
            pose.roll,
            pose.shift_x,
            pose.shift_y,
            pose.push,
        )
        return inside(view, self.source)

    def raw(self, t: float) -> Pose:
        """Return the camera's state relative to its start, not yet fitted into the picture."""
        t = min(max(t, 0.0), 1.0)
        pose = _total(self.legs, t)
        return _swayed(pose, self.sway, t * self.seconds) if pose.shake else pose

    @property
    def has_parallax(self) -> bool:
        """Whether a move looks better with depth."""
        return any(leg.change.shift_x or leg.change.shift_y or leg.change.push for leg in self.legs)

    @property
    def has_roll(self) -> bool:
        """Whether the picture ever turns."""
        return any(leg.change.roll or leg.change.shake for leg in self.legs)


def camera_path(
    shots: Sequence[Shot], source: Extent, frame: Extent, seconds: float, seed: int = 0
) -> CameraPath:
    """Return the path of `shots`, one after the other over `seconds`.

    A shot without a length takes an equal share of what the others leave; if all have one, they
    are stretched to `seconds`. Raises SceneError for an unknown move.
    """
    legs = _legs(shots, source, frame, seconds)
    path = CameraPath(source, frame.aspect, seconds, legs, sways(seed, 4))
    poses = [path.raw(t) for t in _times(legs, seconds)]
    return replace(path, fitted=fit(poses, source, frame.aspect))


def _legs(shots: Sequence[Shot], source: Extent, frame: Extent, seconds: float) -> tuple[Leg, ...]:
    shares = _shares(shots, seconds)
    full = min(source.width, source.height * frame.aspect)
    room = Room(
        frame.aspect,
        source.width / full - 1,
        source.height * frame.aspect / full - 1,
        seconds,
    )
    legs: list[Leg] = []
    zoom = 0.0
    for shot, share, ease in zip(shots, shares, _eases(shares), strict=True):
        pose = _combined(shot, replace(room, seconds=share * seconds), zoom)
        zoom += pose.zoom
        legs.append(Leg(ease, pose))
    return tuple(legs)


def _combined(shot: Shot, room: Room, zoom: float) -> Pose:
    """Return the sum of a shot's moves; its travel is told in frame widths of its own scale."""
    changes = [change(move, room) for move in shot.moves]
    total = _sum(changes)
    scale = math.exp(-zoom - total.zoom / 2)
    return replace(total, x=total.x * scale, y=total.y * scale)


def _sum(poses: Sequence[Pose]) -> Pose:
    rows = [(p.x, p.y, p.zoom, p.roll, p.shift_x, p.shift_y, p.push, p.shake) for p in poses]
    return Pose(*(sum(column) for column in zip(*rows, strict=True)))


def _shares(shots: Sequence[Shot], seconds: float) -> tuple[float, ...]:
    """Return the part of the clip that each shot takes; they add up to 1."""
    told = sum(shot.seconds or 0.0 for shot in shots)
    free = sum(shot.seconds is None for shot in shots)
    least = LEAST_SHARE * seconds / max(len(shots), 1)
    each = max((seconds - told) / free, least) if free else 0.0
    lengths = [each if shot.seconds is None else max(shot.seconds, least) for shot in shots]
    return tuple(length / sum(lengths) for length in lengths)


def _eases(shares: Sequence[float]) -> Iterator[Ease]:
    """Return each shot's stretch: at rest at both ends of the clip, blended where shots meet."""
    joins = [JOIN_RAMP * min(pair) for pair in pairwise(shares)]
    start = 0.0
    for i, share in enumerate(shares):
        before = joins[i - 1] if i else 0.0
        after = joins[i] if i < len(joins) else 0.0
        yield Ease(
            start - before / 2,
            start + share + after / 2,
            before or END_RAMP * share,
            after or END_RAMP * share,
        )
        start += share


def _total(legs: Sequence[Leg], t: float) -> Pose:
    x = y = zoom = roll = shift_x = shift_y = push = shake = 0.0
    for leg in legs:
        part, pose = leg.ease.progress(t), leg.change
        x += part * pose.x
        y += part * pose.y
        zoom += part * pose.zoom
        roll += part * pose.roll
        shift_x += part * pose.shift_x
        shift_y += part * pose.shift_y
        push += part * pose.push
        shake += leg.ease.weight(t) * pose.shake if pose.shake else 0.0
    return Pose(x, y, zoom, roll, shift_x, shift_y, push, shake)


def _swayed(pose: Pose, sway: Sequence[Sway], seconds: float) -> Pose:
    x, y, roll, zoom = (pose.shake * axis.at(seconds) for axis in sway)
    scale = math.exp(-pose.zoom)
    return replace(
        pose,
        x=pose.x + SWAY_X * scale * x,
        y=pose.y + SWAY_Y * scale * y,
        roll=pose.roll + SWAY_ROLL * roll,
        zoom=pose.zoom + SWAY_ZOOM * zoom,
    )


def _times(legs: Sequence[Leg], seconds: float) -> list[float]:
    """Return the times at which a path is sampled to be fitted."""
    sways_at_all = any(leg.change.shake for leg in legs)
    count = _SAMPLES * max(len(legs), 1) + (int(_SWAY_SAMPLES * seconds) if sways_at_all else 0)
    return [i / count for i in range(count + 1)]
