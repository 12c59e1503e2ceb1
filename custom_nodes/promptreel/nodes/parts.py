"""A part of a clip, and a small picture of one of its frames. Renders no more than that.

Knows the engine's clip; must not know torch or ComfyUI.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..engine.clip import Clip, first_frame
from ..engine.limits import MIN_SIDE
from ..engine.values import Extent, Picture


@dataclass(frozen=True, eq=False)
class Part(Clip):
    """Some frames of a clip of `whole` frames, from frame `first` on."""

    first: int = 0
    whole: int = 1

    def time(self, frame: int) -> float:
        """Return the path's t of a frame of this part."""
        return (self.first + frame) / max(self.whole - 1, 1)


def part(clip: Clip, first: int, count: int, extent: Extent | None = None) -> Part:
    """Return `count` frames from frame `first` on, if wanted in another size of that shape."""
    before, whole = (clip.first, clip.whole) if isinstance(clip, Part) else (0, clip.frames)
    frame = extent or clip.extent
    return Part(clip.picture, clip.path, frame, clip.fps, count, clip.depth, before + first, whole)


def thumbnail(clip: Clip, frame: int, side: int) -> Picture:
    """Return one frame, its longer side about `side` pixels."""
    shrink = min(side / max(clip.extent.width, clip.extent.height), 1)
    width, height = clip.extent.width * shrink, clip.extent.height * shrink
    return first_frame(part(clip, frame, 1, Extent(_even(width), _even(height))))


def _even(side: float) -> int:
    return max(2 * round(side / 2), MIN_SIDE)
