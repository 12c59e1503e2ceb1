"""What a video file really holds, by decoding it to the end.

Knows PyAV's demuxers and Pillow's animations. Must not know how the file was made.
"""

# PyAV's and Pillow's openers are typed in part.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false
from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
from av.container import InputContainer
from av.error import FFmpegError
from av.video.stream import VideoStream
from PIL import Image, ImageSequence

from .errors import EncodeError
from .picture import sniff
from .values import Extent, Fps, VideoInfo

# Playlists (HLS, concat, DASH) would make FFmpeg open other files, and a text or a picture
# would count as a video: only real containers are tried.
_OPTIONS = {"format_whitelist": "mp4,webm,avi,mpegts,flv,ogg", "protocol_whitelist": "file"}
_NAMES = {"libdav1d": "av1"}  # the decoder's name, where it is not the codec's
_BROKEN = (FFmpegError, OSError, ValueError, IndexError, SyntaxError, EOFError)


def probe(path: Path) -> VideoInfo:
    """Decode every frame and tell what the file holds, whatever its name says.

    `seconds` is the time from the first frame's start to the last one's end. Raises EncodeError
    if the file is not a video, is cut short or can't be decoded.
    """
    try:
        with path.open("rb") as file:
            kind = sniff(file.read(16))
        if kind in ("gif", "webp"):
            return _animation(path, kind)
        with av.open(str(path), options=_OPTIONS) as container:
            return _video(container, path)
    except FileNotFoundError:
        raise EncodeError("There is no such video file: check its name and its folder.") from None
    except _BROKEN:
        raise EncodeError("This file is not a video that can be played: make it again.") from None


def _video(container: InputContainer, path: Path) -> VideoInfo:
    stream = container.streams.video[0]
    times = [frame.pts for frame in container.decode(stream) if frame.pts is not None]
    fps = stream.average_rate or stream.guessed_rate
    if not times or not fps:
        raise EncodeError("This file holds no frame that can be played: make it again.")
    span = float((max(times) - min(times)) * (stream.time_base or Fraction(0)))
    seconds = span + float(1 / fps)
    _check_whole(container, seconds, fps)
    name = stream.codec_context.name
    return VideoInfo(
        extent=Extent(stream.width, stream.height),
        fps=fps,
        frames=len(times),
        seconds=seconds,
        container=_container(container, path),
        codec=_NAMES.get(name, name),
        pix_fmt=_pixels(stream),
        bytes=path.stat().st_size,
    )


def _check_whole(container: InputContainer, seconds: float, fps: Fps) -> None:
    """Refuse a file whose header promises more than one frame beyond what could be decoded."""
    promised = float(Fraction(container.duration or 0, 1_000_000))  # in microseconds
    if len(container.streams) == 1 and seconds + 1.1 / fps < promised:
        raise EncodeError("This video is cut short: make it again.")


def _animation(path: Path, kind: str) -> VideoInfo:
    """Read an animated GIF or WebP with Pillow: it tells how long each frame stays."""
    milliseconds: list[int] = []
    with Image.open(path, formats=(kind.upper(),)) as image:
        for frame in ImageSequence.Iterator(image):
            frame.load()
            milliseconds.append(int(frame.info.get("duration", 0)))
        extent, mode = Extent(*image.size), image.mode.lower()
    total = sum(milliseconds)
    if not total:
        raise EncodeError("This file is a still picture, not a video: make it again.")
    fps, seconds = Fraction(1000 * len(milliseconds), total), total / 1000
    size = path.stat().st_size
    return VideoInfo(extent, fps, len(milliseconds), seconds, kind, kind, mode, size)


def _container(container: InputContainer, path: Path) -> str:
    """Return the container's short name; a demuxer that reads several is told by the suffix."""
    names = container.format.name.split(",")
    suffix = path.suffix.lstrip(".").lower()
    return suffix if suffix in names else names[0]


def _pixels(stream: VideoStream) -> str:
    return stream.codec_context.pix_fmt or ""
