"""What a resampler does: build levels of planes and sample frames from them.

OpenCV's is used where it can be imported, Pillow's elsewhere; both give the same frames.
"""

from __future__ import annotations

from typing import Any, Protocol, TypeVar

from .planes import Affine, Level, Plane, Values
from .relief import Bend
from .spans import Span
from .values import Extent, Picture

Pixels = TypeVar("Pixels")


class Resampler(Protocol[Pixels]):
    """Builds and samples planes of some kind of pixels."""

    @property
    def density(self) -> float:
        """Pixels of a level for each of the frame's, at the tightest view."""
        ...

    def level(self, picture: Picture, span: Span, frame: Extent) -> Level[Pixels]:
        """Return the region of the picture, prescaled for the frames of a span."""
        ...

    def draw(self, plane: Plane[Pixels], to_source: Affine, out: Values) -> None:
        """Fill `out`; `to_source` maps its continuous coordinates to the source."""
        ...

    def bend(self, level: Level[Pixels], bend: Bend, out: tuple[Values, ...]) -> None:
        """Fill the frame's planes, each point moved by its depth."""
        ...

    def blend(self, first: Values, second: Values, part: float) -> None:
        """Fade `first` into `second` by `part`, in place."""
        ...


def resampler(*, turning: bool) -> Resampler[Any]:
    """Return OpenCV's resampler if cv2 is there, else Pillow's.

    `turning`: the picture turns, or is bent; Pillow then needs denser levels.
    """
    try:
        from .resample_cv import CvResampler  # noqa: PLC0415  OpenCV is optional
    except ImportError:
        from .resample_pillow import PillowResampler  # noqa: PLC0415  only then

        return PillowResampler(turning=turning)
    return CvResampler()
