"""What each camera move changes: one function per axis of `vocabulary/moves.json`.

Knows the tasteful distance of a move of strength 1. Must not know pictures' sizes in pixels,
nor how a path is fitted into one.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from .errors import SceneError
from .lexicon import vocabulary
from .values import CameraMove

ZOOM = 0.25  # natural logarithm of the scale: 1.28 times
SWING = 0.2  # frame widths (pan) or heights (tilt)
TRAVEL = 0.15  # the same for truck and pedestal
ORBIT_TRAVEL = 0.09
ROLL = math.radians(8)
BROAD_SPEED = 0.16  # frame widths a second, where the picture is wider than the frame

TRUCK_PARALLAX = 0.03  # frame widths between the far and the near plane
ORBIT_PARALLAX = 0.05
DOLLY_PARALLAX = 0.07  # more scale for the near plane than for the far one
VERTIGO_ZOOM = 0.16
VERTIGO_PARALLAX = -0.2


@dataclass(frozen=True)
class Pose:
    """A change of the camera, or its state relative to the start.

    `x` right and `y` down in frame widths, `zoom` a natural logarithm, `roll` clockwise in
    radians, `shift_x`, `shift_y` the sideways part and `push` the forward part of the parallax,
    `shake` the amount of sway.
    """

    x: float = 0.0
    y: float = 0.0
    zoom: float = 0.0
    roll: float = 0.0
    shift_x: float = 0.0
    shift_y: float = 0.0
    push: float = 0.0
    shake: float = 0.0


@dataclass(frozen=True)
class Room:
    """What a move may use.

    `aspect` is the frame's; `spare_x`, `spare_y` how much picture lies beside the frame, in
    frame widths and heights; `seconds` the time of the shot.
    """

    aspect: float
    spare_x: float
    spare_y: float
    seconds: float

    @property
    def pace(self) -> float:
        """How far a move goes in this time: less than in proportion, so that none is a crawl."""
        return min(max(math.sqrt(self.seconds / 4), 0.5), 1.6)


def _scale(amount: float, room: Room) -> Pose:
    return Pose(zoom=amount * ZOOM * room.pace)


def _depth(amount: float, room: Room) -> Pose:
    return Pose(zoom=amount * ZOOM * room.pace, push=amount * DOLLY_PARALLAX)


def _yaw(amount: float, room: Room) -> Pose:
    return Pose(x=amount * _across(SWING, room.spare_x, room))


def _pitch(amount: float, room: Room) -> Pose:
    return Pose(y=-amount * _across(SWING, room.spare_y, room) / room.aspect)


def _x(amount: float, room: Room) -> Pose:
    travel = amount * _across(TRAVEL, room.spare_x, room)
    return Pose(x=travel, shift_x=amount * TRUCK_PARALLAX)


def _y(amount: float, room: Room) -> Pose:
    travel = -amount * _across(TRAVEL, room.spare_y, room) / room.aspect
    return Pose(y=travel, shift_y=-amount * TRUCK_PARALLAX / room.aspect)


def _roll(amount: float, room: Room) -> Pose:
    return Pose(roll=amount * ROLL * room.pace)


def _orbit(amount: float, room: Room) -> Pose:
    return Pose(x=amount * ORBIT_TRAVEL * room.pace, shift_x=amount * ORBIT_PARALLAX)


def _shake(amount: float, _room: Room) -> Pose:
    return Pose(shake=abs(amount))


def _vertigo(amount: float, room: Room) -> Pose:
    return Pose(zoom=amount * VERTIGO_ZOOM * room.pace, push=amount * VERTIGO_PARALLAX)


def _across(usual: float, spare: float, room: Room) -> float:
    """Return the travel: the usual one, or more where the picture goes on beside the frame."""
    return max(usual * room.pace, min(spare, BROAD_SPEED * room.seconds))


MOVES: Mapping[str, Callable[[float, Room], Pose]] = MappingProxyType(
    {
        "scale": _scale,
        "depth": _depth,
        "yaw": _yaw,
        "pitch": _pitch,
        "x": _x,
        "y": _y,
        "roll": _roll,
        "orbit": _orbit,
        "shake": _shake,
        "vertigo": _vertigo,
    }
)


def change(move: CameraMove, room: Room) -> Pose:
    """Return what the whole move changes. Raises SceneError for an unknown kind."""
    rows: Mapping[str, Mapping[str, str | int]] = vocabulary("moves")
    if move.kind not in rows:
        raise SceneError(f"Unknown camera move {move.kind!r}: use one of {', '.join(rows)}.")
    row = rows[move.kind]
    return MOVES[str(row["axis"])](float(row["sign"]) * move.strength, room)
