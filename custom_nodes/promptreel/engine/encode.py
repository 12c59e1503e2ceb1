"""Frames to a file: rendering and encoding overlap, and a broken encode leaves nothing.

Knows PyAV's encoders. Must not know scenes or cameras: a clip is only asked for its frames.
"""

# PyAV's packets are typed in part.
# pyright: reportUnknownMemberType=false
from __future__ import annotations

import errno
import shutil
import tempfile
import uuid
from collections.abc import Callable, Generator, Iterable, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, cast

import av
from av.container import OutputContainer
from av.error import FFmpegError
from av.video.reformatter import ColorRange, Colorspace
from av.video.stream import VideoStream

from .ahead import ahead
from .clip import Clip
from .errors import EncodeError
from .formats import Format, format_named
from .limits import check_extent
from .palette import as_pixels
from .planes import BT709
from .render import yuv_frames
from .steady import steady
from .values import Extent, Fps, VideoInfo

_DISK = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)
Report = Callable[[int, int], None]  # frames done, frames in all; what it raises ends the encode


@dataclass(frozen=True)
class Job:
    """What is encoded: `options` override the format's own (FFmpeg's names)."""

    extent: Extent
    fps: Fps
    frames: int
    format: Format
    metadata: Mapping[str, str] = field(default_factory=dict[str, str])
    options: Mapping[str, str] = field(default_factory=dict[str, str])


def write_video(
    clip: Clip,
    target: Path | BinaryIO,
    *,
    format: str = "mp4",  # noqa: A002  the field's own word
    metadata: Mapping[str, str] | None = None,
    report: Report | None = None,
) -> VideoInfo:
    """Render `clip` into `target` (a path, or a binary file open for writing).

    A path appears when it is complete, never before. Raises EncodeError, ParameterError, and
    whatever `report` raises: that is how to cancel.
    """
    job = Job(clip.extent, clip.fps, clip.frames, format_named(format), metadata or {})
    return encode(yuv_frames(clip), job, target, report)


def encode(
    frames: Iterable[av.VideoFrame],
    job: Job,
    target: Path | BinaryIO,
    report: Report | None = None,
) -> VideoInfo:
    """Encode yuv420p BT.709 limited-range frames; see `write_video`."""
    check_extent(job.extent)
    job.format.check(job.extent, job.fps)
    if isinstance(target, Path):
        return _to_path(frames, job, target, report)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, f"video.{job.format.extension}")
        info = _to_path(frames, job, path, report)
        with path.open("rb") as file, _failing("The video can't be written out"):
            shutil.copyfileobj(file, target, 1 << 20)
    return info


def _to_path(
    frames: Iterable[av.VideoFrame], job: Job, path: Path, report: Report | None
) -> VideoInfo:
    part = path.with_name(f".{path.stem[:40]}.{uuid.uuid4().hex[:8]}.part")
    try:
        count = _to_part(frames, job, part, report)
        with _failing("The video can't be saved"):
            size = part.stat().st_size
            part.replace(path)
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)
    seconds = float(count / job.fps)
    row = job.format
    return VideoInfo(
        job.extent, job.fps, count, seconds, row.container, row.codec, row.pix_fmt, size
    )


def _to_part(frames: Iterable[av.VideoFrame], job: Job, part: Path, report: Report | None) -> int:
    with _opened(job, part) as container:
        stream = _stream(container, job)
        count = 0
        with ahead(frames) as ready:
            for frame in ready:
                _add(container, stream, job, frame, count)
                count += 1
                if report:
                    report(count, job.frames)
        with _failing("The encoder failed at the end"):
            container.mux(stream.encode(None))
    if not count:
        raise EncodeError("There is no frame to encode: make the video longer.")
    return count


@contextmanager
def _opened(job: Job, part: Path) -> Generator[OutputContainer, None, None]:
    row = job.format
    with _failing("The video file can't be made"):
        container = av.open(
            str(part), "w", row.container, container_options=dict(row.container_options)
        )
    try:
        yield container
    except BaseException:
        with suppress(FFmpegError, OSError, ValueError):
            container.close()
        raise
    with _failing("The video file can't be completed"):
        container.close()


def _stream(container: OutputContainer, job: Job) -> VideoStream:
    row = job.format
    container.metadata.update(job.metadata)
    with _failing("The encoder can't be started"):
        options = {**steady(row.encoder), **row.options, **job.options}
        added = container.add_stream(row.encoder, rate=job.fps, options=options)
        stream = cast("VideoStream", added)
        stream.width, stream.height = job.extent.width, job.extent.height
        stream.pix_fmt = row.pix_fmt
        stream.time_base = 1 / job.fps
        if row.pix_fmt == "yuv420p":
            _tag(stream)
        stream.codec_context.open()
    return stream


def _tag(stream: VideoStream) -> None:
    """Say in the file that its colours are BT.709, limited range (ITU-T H.273)."""
    context = stream.codec_context
    context.colorspace = Colorspace.ITU709
    context.color_range = ColorRange.MPEG
    context.color_primaries = context.color_trc = BT709


def _add(
    container: OutputContainer, stream: VideoStream, job: Job, frame: av.VideoFrame, at: int
) -> None:
    frame.pts, frame.time_base = at, 1 / job.fps
    with _failing("The encoder failed"):
        ready = as_pixels(frame, job.format.pix_fmt)
        ready.pts, ready.time_base = at, 1 / job.fps
        container.mux(stream.encode(ready))


@contextmanager
def _failing(what: str) -> Generator[None, None, None]:
    """Turn what FFmpeg or the disk says into an EncodeError without a path in it."""
    try:
        yield
    except (FFmpegError, OSError, ValueError) as error:
        raise EncodeError(f"{what}: {_reason(error)}") from error


def _reason(error: FFmpegError | OSError | ValueError) -> str:
    """Return why, and what to do about it."""
    if isinstance(error, FileNotFoundError):
        return "its folder is missing. Make the folder and try again."
    reason = getattr(error, "strerror", None) or type(error).__name__
    if isinstance(error, PermissionError):
        return f"{reason}. Allow writing to the folder and try again."
    if isinstance(error, IsADirectoryError):
        return "a folder has this name. Choose another name and try again."
    if getattr(error, "errno", None) in _DISK:
        return f"{reason}. Check the free disk space and try again."
    return f"{reason}. Choose another format or size, or try again."
