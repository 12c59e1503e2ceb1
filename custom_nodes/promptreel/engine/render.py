"""Renders a clip: yuv420p frames, one at a time, ready for an encoder.

Knows levels, views and frames. Must not know encoders or files. Memory does not grow with the
clip's length: one level of planes lives at a time, two while one fades into the next.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import av

from .depth import relief
from .planes import TO_FRAME, Level, blank_frame, plane_values, view_affine
from .relief import Bend, Relief
from .resample import Resampler, resampler
from .spans import Span, spans
from .view import View

if TYPE_CHECKING:
    from .clip import Clip


def yuv_frames(clip: Clip, tools: Resampler[Any] | None = None) -> Iterator[av.VideoFrame]:
    """Yield the clip's frames: yuv420p, BT.709 limited, `pts` counted in frames.

    `tools` chooses the resampler; None takes OpenCV's where it can be imported, else Pillow's.
    """
    views = [clip.path.at(clip.time(i)) for i in range(clip.frames)]
    turning = clip.path.has_roll or clip.depth is not None
    tools = resampler(turning=turning) if tools is None else tools
    scenery = None if clip.depth is None else relief(clip.depth, clip.path.source, amplitude(views))
    strip = _Strip(clip, tools, views, scenery)
    for index, frame in enumerate(strip.frames()):
        frame.pts = index
        frame.time_base = 1 / clip.fps
        yield frame


def amplitude(views: Sequence[View]) -> float:
    """Return how far parallax moves a point of relief 1, in frame widths, at most."""
    return max(math.hypot(v.shift_x, v.shift_y) + abs(v.push) / 2 for v in views)


@dataclass(frozen=True)
class _Strip:
    """All that the frames of one clip have in common."""

    clip: Clip
    tools: Resampler[Any]
    views: Sequence[View]
    relief: Relief | None

    def frames(self) -> Iterator[av.VideoFrame]:
        """Yield the frames; where one level ends, they fade into the next one's."""
        clip = self.clip
        old: tuple[Span, Level[Any]] | None = None
        for span in spans(self.views, clip.path.source, clip.extent, self.tools.density):
            level = self.tools.level(clip.picture, span, clip.extent)
            for index in range(span.first, span.end):
                if old and index >= old[0].fade:
                    old = None
                frame = self._drawn(level, index)
                if old:
                    self._fade(frame, old, index)
                yield frame
            old = span, level

    def _drawn(self, level: Level[Any], index: int) -> av.VideoFrame:
        frame = blank_frame(self.clip.extent)
        view, planes = self.views[index], plane_values(frame)
        if self.relief:
            self.tools.bend(level, Bend(self.relief, view, self.clip.extent), planes)
            return frame
        to_source = view_affine(view, self.clip.extent)
        for plane, to_frame, values in zip(level, TO_FRAME, planes, strict=True):
            self.tools.draw(plane, to_source @ to_frame, values)
        return frame

    def _fade(self, frame: av.VideoFrame, old: tuple[Span, Level[Any]], index: int) -> None:
        span, level = old
        other = self._drawn(level, index)
        part = (span.fade - index) / (span.fade - span.end + 1)
        for values, olds in zip(plane_values(frame), plane_values(other), strict=True):
            self.tools.blend(values, olds, part)
