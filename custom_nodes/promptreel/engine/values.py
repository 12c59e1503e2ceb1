"""The engine's named values: frozen, plain, and shared by all of its modules."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

Fps: TypeAlias = Fraction
Picture: TypeAlias = npt.NDArray[np.uint8]  # (height, width, 3), sRGB, C-contiguous
Depth: TypeAlias = npt.NDArray[np.float32]  # (height, width), 0 far .. 1 near


@dataclass(frozen=True, order=True)
class Extent:
    """A size in pixels."""

    width: int
    height: int

    @property
    def aspect(self) -> float:
        """Width over height."""
        return self.width / self.height

    @property
    def pixels(self) -> int:
        """Number of pixels."""
        return self.width * self.height

    def __str__(self) -> str:
        return f"{self.width}x{self.height}"

    @staticmethod
    def of(picture: npt.NDArray[Any]) -> Extent:
        """Return the extent of an array shaped (height, width, ...)."""
        return Extent(int(picture.shape[1]), int(picture.shape[0]))


@dataclass(frozen=True)
class CameraMove:
    """One move of the camera.

    `kind` is a row of `vocabulary/moves.json` and a function of `camera.MOVES`
    (zoom_in, pan_left, ...). `strength` multiplies the tasteful default distance of
    that move: 1.0 is normal, 0.35 very slow, 2.2 very fast.
    """

    kind: str
    strength: float = 1.0


@dataclass(frozen=True)
class Shot:
    """Moves made together, as one step of a sequence. No moves: the camera stands still."""

    moves: tuple[CameraMove, ...] = ()
    seconds: float | None = None  # None: an equal share of what the other shots leave


@dataclass(frozen=True)
class Scene:
    """What a text asks for.

    `prompt` is the text without the camera, length and tag words (what a video model is told);
    `shots` are played one after the other; `looks` are rows of `vocabulary/looks.json`.
    `explicit_camera` is False where the text named no camera move and `shots` is the default.
    `asked_seconds` is the length as the text says it, `seconds` the allowed one nearest to it.
    """

    text: str
    prompt: str
    negative: str = ""
    shots: tuple[Shot, ...] = ()
    looks: tuple[str, ...] = ()
    seconds: float | None = None
    explicit_camera: bool = False
    asked_seconds: float | None = None


@dataclass(frozen=True)
class VideoInfo:
    """What a video file really holds (see `probe.probe`)."""

    extent: Extent
    fps: Fps
    frames: int
    seconds: float
    container: str
    codec: str
    pix_fmt: str
    bytes: int
