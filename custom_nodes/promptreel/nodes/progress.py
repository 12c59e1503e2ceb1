"""Work shown on the node: a bar, now and then a small frame, and Cancel that works.

Knows comfy.utils.ProgressBar, which checks for interruption on every update (comfyui.md 1.3).
Must not know encoders: it is handed to one as its `report`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator

import comfy.utils
from PIL import Image

from ..engine.values import Picture

PREVIEW_SIDE = 384  # pixels; ComfyUI's own previews have up to 512
PREVIEW_SECONDS = 0.5  # a preview costs a frame of rendering; more often nobody sees


class Progress:
    """Counts pictures for the node that runs now.

    Make it inside of that node's `execute`, or it can't tell which node that is. Calling it raises
    comfy's InterruptProcessingException when somebody pressed Cancel.
    """

    def __init__(self, total: int, previews: Previews | None = None) -> None:
        self._bar = comfy.utils.ProgressBar(total)
        self._previews = previews

    def __call__(self, done: int, total: int) -> None:
        """Take the number of pictures done, 0 to total."""
        self._bar.update_absolute(done, total)
        if self._previews:
            self._previews(done, total)

    def counted(self, frames: Iterable[Picture], total: int) -> Iterator[Picture]:
        """Pass pictures through, counting them."""
        for done, frame in enumerate(frames, 1):
            self(done, total)
            yield frame


class Previews:
    """Shows a small frame now and then, on the node that composed the video.

    Not on the node that saves it: the editor (seen in its 1.32) takes such a frame for the saved
    video and then shows no video at all.
    """

    def __init__(self, node: str, total: int, picture: Callable[[int], Picture]) -> None:
        self._bar = comfy.utils.ProgressBar(total, node_id=node)
        self._picture = picture
        self._next = time.monotonic() + PREVIEW_SECONDS

    def __call__(self, done: int, total: int) -> None:
        """Take the number of frames done; at the end, say so."""
        if done >= total:
            self._bar.update_absolute(done, total)
        elif time.monotonic() >= self._next:
            shown = Image.fromarray(self._picture(done))
            self._bar.update_absolute(done, total, ("JPEG", shown, PREVIEW_SIDE))
            self._next = time.monotonic() + PREVIEW_SECONDS
