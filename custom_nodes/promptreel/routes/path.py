"""POST /promptreel/path: where the camera's frame lies on the picture, from start to end.

    {text | moves, width, height, aspect?, seconds?, seed?, negative?, cameras?}
    -> {frames: [{t, corners: [[x, y] * 4]}], seconds, aspect}

`width` and `height` are the picture's, `aspect` is the frame's: a number, or a name such as "16:9";
"source" (the default) is the picture's own. Corners are parts of the picture, 0 to 1, the frame's
top left one first, then clockwise.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..engine import limits
from ..engine.camera import camera_path
from ..engine.errors import ParameterError
from ..engine.framing import SOURCE, aspects, frame_extent
from ..engine.values import CameraMove, Extent, Shot
from ..engine.view import View
from .answers import Body, Route, answering, number_of, rows_of, text_of
from .scene import MAX_STRENGTH, asked_scene

SAMPLES = 33
MAX_MOVES = 64
MAX_SIDE = 100_000  # of a picture
SIDE = 1000  # the frame's short side here: only its shape counts
LEAST_ASPECT, MOST_ASPECT = 0.05, 20.0


def path(body: Body) -> Mapping[str, Any]:
    """Return the answer to a body."""
    source = Extent(_side(body, "width"), _side(body, "height"))
    frame = _frame(body, source)
    shots, told = _shots(body)
    own = limits.clamp_seconds(told or limits.DEFAULT_SECONDS)
    seconds = limits.clamp_seconds(number_of(body, "seconds", 0.0) or own)
    camera = camera_path(shots, source, frame, seconds, int(number_of(body, "seed", 0)))
    times = [i / (SAMPLES - 1) for i in range(SAMPLES)]
    frames = [{"t": t, "corners": _corners(camera.at(t), source)} for t in times]
    return {"frames": frames, "seconds": seconds, "aspect": frame.aspect}


def _corners(view: View, source: Extent) -> list[list[float]]:
    return [[round(x / source.width, 5), round(y / source.height, 5)] for x, y in view.corners()]


def _side(body: Body, name: str) -> int:
    side = number_of(body, name, 0)
    if not 1 <= side <= MAX_SIDE:
        raise ParameterError(f"{name} must be the picture's, 1 to {MAX_SIDE} pixels.")
    return round(side)


def _frame(body: Body, source: Extent) -> Extent:
    asked = body.get("aspect", SOURCE)
    if isinstance(asked, str):
        if asked not in aspects():
            raise ParameterError(f"Unknown aspect {asked!r}: use one of {', '.join(aspects())}.")
        return frame_extent(source, asked, "720p")
    ratio = min(max(number_of(body, "aspect", 1.0), LEAST_ASPECT), MOST_ASPECT)
    return Extent(round(SIDE * ratio), SIDE) if ratio >= 1 else Extent(SIDE, round(SIDE / ratio))


def _shots(body: Body) -> tuple[tuple[Shot, ...], float | None]:
    """Return the shots, and the length that the text says."""
    if "moves" not in body:
        scene = asked_scene(body)
        return scene.shots, scene.seconds
    rows = list(rows_of(body, "moves", MAX_MOVES))
    return tuple(_grouped(rows)), None


def _grouped(rows: list[Body]) -> Iterator[Shot]:
    """Yield the shots of moves as `scene_view` tells them: those of one number are one shot."""
    for number in dict.fromkeys(number_of(row, "shot", 0) for row in rows):
        mine = [row for row in rows if number_of(row, "shot", 0) == number]
        seconds = mine[0].get("seconds")
        length = number_of(mine[0], "seconds", 0.0) if seconds else None
        yield Shot(tuple(map(_move, mine)), length)


def _move(row: Body) -> CameraMove:
    strength = number_of(row, "strength", 1.0)
    return CameraMove(text_of(row, "kind"), min(max(strength, 0.0), MAX_STRENGTH))


ROUTES = (Route("POST", "/promptreel/path", answering(path)),)
