"""A VIDEO that renders itself while it is saved: memory does not grow with its length.

One class for every ComfyUI from 0.3.64 to today (comfyui.md section 2.3): all getters that any of
them calls, `as_trimmed` and `as_cropped` of the newer ones, and unknown arguments of `save_to`.
ComfyUI keys weak dictionaries on videos, so it has identity, no equality and no slots.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from io import BytesIO
from pathlib import Path
from typing import Any

from comfy_api.latest import Input, InputImpl, Types

from ..engine.clip import Clip, rgb_frames
from ..engine.encode import write_video
from .files import as_tags, temporary
from .parts import part, thumbnail
from .progress import PREVIEW_SIDE, Previews, Progress
from .tensors import image_of

OWN_FORMATS = ("auto", "mp4")
OWN_CODECS = ("auto", "h264")
# What newer ComfyUIs ask for, and we do anyway; None and a preset never matter.
OWN_OPTIONS = {"bit_depth": 8, "color_space": "sRGB"}


class LazyVideo(Input.Video):
    """A clip as ComfyUI's VIDEO. `node` is the node that shows frames while it is rendered."""

    def __init__(self, clip: Clip, node: str | None = None) -> None:
        self._clip = clip
        self._node = node
        self._file: Path | None = None

    def get_dimensions(self) -> tuple[int, int]:
        """Return width and height."""
        return self._clip.extent.width, self._clip.extent.height

    def get_display_dimensions(self) -> tuple[int, int]:
        """Return width and height: never turned."""
        return self.get_dimensions()

    def get_duration(self) -> float:
        """Return the length in seconds."""
        return float(self._clip.frames / self._clip.fps)

    def get_frame_count(self) -> int:
        """Return the number of frames."""
        return self._clip.frames

    def get_frame_rate(self) -> Fraction:
        """Return the frames per second."""
        return self._clip.fps

    def get_container_format(self) -> str:
        """Return FFmpeg's name of the container."""
        return "mov,mp4,m4a,3gp,3g2,mj2"

    def get_bit_depth(self) -> int:
        """Return the bits per channel."""
        return 8

    def get_color_space(self) -> str:
        """Return ComfyUI's name of the colour space."""
        return "sRGB"

    def get_active_trim_window(self) -> tuple[float, float]:
        """Return start and length of a pending trim: none, `as_trimmed` gives a shorter clip."""
        return 0.0, 0.0

    def has_pending_frame_edits(self) -> bool:
        """Whether `get_stream_source` lacks edits: never."""
        return False

    def get_components(self) -> Types.VideoComponents:
        """Return all frames as one IMAGE: large by nature (12 bytes a pixel)."""
        count = self._clip.frames
        frames = Progress(count).counted(rgb_frames(self._clip), count)
        images = image_of(frames, count)
        return Types.VideoComponents(images=images, audio=None, frame_rate=self._clip.fps)

    def get_stream_source(self) -> str:
        """Return a file with the video: rendered at the first call, kept in the temp folder."""
        if self._file is None or not self._file.is_file():
            path = temporary("mp4")
            self._render(path, {})
            self._file = path
        return str(self._file)

    def save_to(
        self,
        path: str | Path | BytesIO,
        format: Types.VideoContainer | str = "auto",  # noqa: A002  ComfyUI's name
        codec: Types.VideoCodec | str = "auto",
        metadata: Mapping[str, Any] | None = None,
        **options: Any,  # noqa: ANN401  whatever a newer ComfyUI adds
    ) -> None:
        """Render into `path`. What is not 8-bit H.264 in MP4 is ComfyUI's to make of our file."""
        if format in OWN_FORMATS and codec in OWN_CODECS and not _foreign(options):
            target = Path(path) if isinstance(path, str) else path
            self._render(target, as_tags(metadata))
            return
        kept = {key: value for key, value in options.items() if value is not None}
        self._as_file().save_to(path, format=format, codec=codec, metadata=metadata, **kept)

    def as_trimmed(
        self,
        start_time: float | None = None,
        duration: float | None = None,
        strict_duration: bool = False,
    ) -> LazyVideo | None:
        """Return the part from `start_time` (negative: from the end), lazy as well.

        None where nothing is left, or less than `duration` and it must be all of it.
        """
        frames, fps = self._clip.frames, self._clip.fps
        start = round((start_time or 0) * fps)
        first = max(start + frames, 0) if start < 0 else start
        wanted = round(duration * fps) if duration else frames - first
        count = min(wanted, frames - first)
        if count < 1 or (strict_duration and count < wanted):
            return None
        return LazyVideo(part(self._clip, first, count), self._node)

    def as_cropped(self, x: int = 0, y: int = 0, width: int = 0, height: int = 0) -> Input.Video:
        """Return a part of the frame: ComfyUI's own crop of the rendered file."""
        return self._as_file().as_cropped(x=x, y=y, width=width, height=height)

    def as_resized(self, *arguments: Any, **options: Any) -> Input.Video:  # noqa: ANN401
        """Return another size: ComfyUI's own scaling of the rendered file."""
        return self._as_file().as_resized(*arguments, **options)

    def _as_file(self) -> Any:  # noqa: ANN401  its methods depend on ComfyUI's version
        return InputImpl.VideoFromFile(self.get_stream_source())

    def _render(self, target: Path | BytesIO, tags: Mapping[str, str]) -> None:
        clip = self._clip
        write_video(clip, target, metadata=tags, report=Progress(clip.frames, self._previews()))

    def _previews(self) -> Previews | None:
        clip = self._clip
        if self._node is None:
            return None
        return Previews(self._node, clip.frames, lambda i: thumbnail(clip, i, PREVIEW_SIDE))


def _foreign(options: Mapping[str, Any]) -> bool:
    asked = {key: value for key, value in options.items() if value is not None and key != "preset"}
    return any(OWN_OPTIONS.get(key) != value for key, value in asked.items())
