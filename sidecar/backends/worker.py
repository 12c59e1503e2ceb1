"""Plain functions run off the event loop: they know the engine and files, and block.

Importing this module loads the engine, so do that in a thread too (`backends/threads.py`).
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PIL import Image

from sidecar.engine import (
    EncodeError,
    EngineError,
    Extent,
    Picture,
    PictureError,
    VideoInfo,
    check_fps,
    compose,
    first_frame,
    frame_extent,
    grade,
    load_picture,
    parse_scene,
    sniff,
    write_video,
)
from sidecar.values import GenerateRequest, JobError

from .base import BackendError
from .previews import previewing

_SUFFIXES = {"jpeg": "jpg"}


def picture_suffix(path: Path) -> str:
    """Decode the whole picture; return the suffix of what it is. Raises PictureError."""
    load_picture(path)
    with path.open("rb") as file:
        kind = sniff(file.read(16)) or ""
    return _SUFFIXES.get(kind, kind)


def check_picture(path: Path) -> tuple[str, str]:
    """Return the picture's suffix and "", or "" and the sentence that says what is wrong."""
    try:
        return picture_suffix(path), ""
    except PictureError as error:
        return "", str(error)


def render(
    source: Path,
    request: GenerateRequest,
    image: Path,
    video: Path,
    report: Callable[[int, int], None],
    kind: str = "mp4",
    preview: Callable[[bytes], None] | None = None,
) -> VideoInfo:
    """Make the video and its first frame. Raises BackendError, and whatever `report` raises.

    `kind` is the engine's name of a format. `preview` gets small JPEGs now and then.
    """
    try:
        return _render(source, request, image, video, report, kind, preview)
    except EncodeError as error:
        raise BackendError(JobError("encoding_failed", str(error))) from error
    except EngineError as error:
        raise BackendError(JobError("invalid_request", str(error), status=400)) from error


def _render(
    source: Path,
    request: GenerateRequest,
    image: Path,
    video: Path,
    report: Callable[[int, int], None],
    kind: str,
    preview: Callable[[bytes], None] | None,
) -> VideoInfo:
    params = request.params
    picture = load_picture(source)
    report(0, 0)
    scene = parse_scene(request.text, params.get("negative") or "")
    clip = compose(
        grade(picture, scene.looks),
        scene,
        extent=frame_extent(
            Extent.of(picture),
            params.get("aspect") or "source",
            params.get("resolution") or "720p",
        ),
        fps=check_fps(params.get("fps") or 24),
        seconds=params.get("seconds") or None,
        seed=params.get("seed") or 0,
    )
    report(0, 0)
    _save(first_frame(clip), image)
    told = report if preview is None else previewing(clip, report, preview)
    return write_video(clip, video, format=kind, report=told)


def _save(picture: Picture, path: Path) -> None:
    Image.fromarray(picture).save(path, format="PNG", compress_level=3)
