"""End to end against encoding alone, in one process, with the same preset and the same frames."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

import av
from promptreel.engine.clip import Clip, compose
from promptreel.engine.encode import Job, encode
from promptreel.engine.formats import format_named
from promptreel.engine.render import yuv_frames
from promptreel.engine.values import CameraMove, Extent, Picture, Scene, Shot

from bench.rounds import Check, Rounds, Task, interleaved
from bench.sources import dead_leaves

SOURCE = Extent(3000, 2000)
FRAMES = {"720p": Extent(1280, 720), "1080p": Extent(1920, 1080)}
SECONDS, FPS = 5.0, 24
PRESETS: Mapping[str, Mapping[str, str] | None] = {
    "default": None,
    "veryfast": {"preset": "veryfast", "crf": "20"},
}
MOVES = (("zoom_in", "2D", 1.30), ("dolly_in", "2.5D", 1.60))


def clip_of(picture: Picture, kind: str, extent: Extent, strength: float = 1.0) -> Clip:
    """Return 5 seconds of one move at 24 fps."""
    scene = Scene("", "", shots=(Shot((CameraMove(kind, strength),)),))
    return compose(picture, scene, extent=extent, fps=FPS, seconds=SECONDS)


def speed(name: str, rounds: int) -> list[Check]:
    """Return the ratios at one size."""
    picture, extent = dead_leaves(SOURCE), FRAMES[name]
    tasks: dict[str, Task] = {}
    for kind, _, _ in MOVES:
        tasks |= _tasks(picture, kind, extent)
    found = interleaved(tasks, rounds)
    checks = [check for row in MOVES for check in _checks(name, found, *row)]
    rate = SECONDS * FPS / found.wall("zoom_in default")
    return [*checks, Check(f"{name} 2D, default preset: frames a second", rate, "fps")]


def _checks(name: str, found: Rounds, kind: str, label: str, most: float) -> list[Check]:
    alike = [
        Check(
            f"{name} {label}, {preset} preset: end to end / encode alone",
            found.ratio(f"{kind} {preset}", f"{kind} encode {preset}"),
            most=most,
        )
        for preset in PRESETS
    ]
    plain = found.ratio(f"{kind} default", f"{kind} encode veryfast")
    what = f"{name} {label}, default preset: end to end / plain x264 veryfast alone"
    return [*alike, Check(what, plain, most=1.0 if label == "2D" else None)]


def _tasks(picture: Picture, kind: str, extent: Extent) -> dict[str, Task]:
    clip = clip_of(picture, kind, extent)
    ready = list(yuv_frames(clip))
    tasks: dict[str, Task] = {}
    for preset in PRESETS:
        tasks[f"{kind} encode {preset}"] = lambda p=preset: _written(ready, clip, p)
        tasks[f"{kind} {preset}"] = lambda p=preset: _whole(picture, kind, extent, p)
    return tasks


def _whole(picture: Picture, kind: str, extent: Extent, preset: str) -> int:
    clip = clip_of(picture, kind, extent)
    return _written(yuv_frames(clip), clip, preset)


def _written(frames: Iterable[av.VideoFrame], clip: Clip, preset: str) -> int:
    """Encode into a file that is thrown away; return its size."""
    row, options = format_named("mp4"), PRESETS[preset]
    if options is not None:
        row = replace(row, options=options)
    job = Job(clip.extent, clip.fps, clip.frames, row)
    with tempfile.TemporaryDirectory() as folder:
        return encode(frames, job, Path(folder, "clip.mp4")).bytes
