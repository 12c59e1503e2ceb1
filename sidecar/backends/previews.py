"""Small pictures of a video while the engine renders it; a short one has none, so it loses nothing.

Knows clips. Must not know jobs, or who looks.
"""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Iterator
from dataclasses import replace

from PIL import Image

from sidecar.engine import Clip, Extent, Picture, rgb_frames

EVERY_S = 0.8  # one costs about 10 ms
_WIDEST = 480

Report = Callable[[int, int], None]


def previewing(
    clip: Clip,
    report: Report,
    show: Callable[[bytes], None],
    clock: Callable[[], float] = time.monotonic,
) -> Report:
    """Return a `report` that also shows JPEGs of the clip, at most one each EVERY_S seconds."""
    previews = _Previews(clip, show, clock)

    def told(done: int, total: int) -> None:
        report(done, total)
        previews.look(done, total)

    return told


class _Previews:
    """Renders the clip once more: small, and as few frames as there are pictures to show."""

    def __init__(
        self, clip: Clip, show: Callable[[bytes], None], clock: Callable[[], float]
    ) -> None:
        self._clip = clip
        self._show = show
        self._clock = clock
        self._began = clock()
        self._frames: Iterator[Picture] = iter(())
        self._count = self._shown = 0

    def look(self, done: int, total: int) -> None:
        """Show the next one, if it is time for it."""
        passed = self._clock() - self._began
        if not done or passed < EVERY_S:
            return
        if not self._count:
            self._count = max(int(passed * total / done / EVERY_S), 1)
            self._frames = rgb_frames(_small(self._clip, self._count))
        if done * self._count >= (self._shown + 1) * total:
            self._shown += 1
            picture = next(self._frames, None)
            if picture is not None:
                self._show(_jpeg(picture))


def _small(clip: Clip, frames: int) -> Clip:
    """Return the clip with few small frames; sizes are even."""
    part = min(_WIDEST / max(clip.extent.width, clip.extent.height), 1.0)
    width, height = (
        max(round(side * part / 2) * 2, 16) for side in (clip.extent.width, clip.extent.height)
    )
    return replace(clip, extent=Extent(width, height), frames=frames)


def _jpeg(picture: Picture) -> bytes:
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "JPEG", quality=80)
    return file.getvalue()
