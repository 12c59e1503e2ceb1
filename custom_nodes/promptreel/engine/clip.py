"""A clip: a picture, a camera's path and a frame size, rate and length. Nothing is rendered yet.

Knows how a scene becomes a clip. Must not know files or encoders.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from .camera import CameraPath, camera_path
from .depth import depth_prior, gentle
from .limits import (
    DEFAULT_FPS,
    DEFAULT_SECONDS,
    check_extent,
    check_fps,
    check_seconds,
    clamp_seconds,
)
from .planes import to_rgb
from .render import yuv_frames
from .values import Depth, Extent, Fps, Picture, Scene


@dataclass(frozen=True, eq=False)
class Clip:
    """What is to be rendered: `frames` frames of size `extent`, the first one at t = 0.

    `depth` is a small smooth field, or None where the camera's moves are flat.
    """

    picture: Picture
    path: CameraPath
    extent: Extent
    fps: Fps
    frames: int
    depth: Depth | None = None

    @property
    def seconds(self) -> float:
        """The clip's length."""
        return float(self.frames / self.fps)

    def time(self, frame: int) -> float:
        """Return the path's t of a frame: 0 for the first one, 1 for the last one."""
        return frame / max(self.frames - 1, 1)


def compose(
    picture: Picture,
    scene: Scene,
    *,
    extent: Extent,
    fps: Fraction | float = DEFAULT_FPS,
    seconds: float | None = None,
    depth: Depth | None = None,
    seed: int = 0,
) -> Clip:
    """Return the clip of a scene; grading is the caller's, before this.

    `seconds`: None takes the scene's own length. `depth` (any size, 0 far .. 1 near) makes
    parallax for the moves that have it; without one it is guessed. Raises ParameterError for a
    size, rate or length out of the limits.
    """
    own = clamp_seconds(scene.seconds or DEFAULT_SECONDS)
    length = check_seconds(own if seconds is None else seconds)
    rate = check_fps(fps)
    frame, source = check_extent(extent), Extent.of(picture)
    path = camera_path(scene.shots, source, frame, length, seed)
    field = _depth(picture, depth) if path.has_parallax else None
    return Clip(picture, path, frame, rate, max(round(length * rate), 1), field)


def rgb_frames(clip: Clip) -> Iterator[Picture]:
    """Render the frames as RGB, one at a time."""
    return (to_rgb(frame) for frame in yuv_frames(clip))


def first_frame(clip: Clip) -> Picture:
    """Render the first frame as RGB."""
    return next(rgb_frames(clip))


def _depth(picture: Picture, depth: Depth | None) -> Depth | None:
    return depth_prior(picture) if depth is None else gentle(depth)
