"""Smoothness and sharpness before encoding and after decoding, beside ffmpeg's zoompan."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import av
from PIL import Image
from promptreel.engine.clip import Clip
from promptreel.engine.encode import write_video
from promptreel.engine.planes import plane_values
from promptreel.engine.render import yuv_frames
from promptreel.engine.values import Extent, Picture
from promptreel.engine.view import View

from bench import peers
from bench.rounds import Check
from bench.smoothness import Luma, Smoothness, jitter, lanczos, luma, measure
from bench.sources import dead_leaves
from bench.speed import FRAMES, SOURCE, clip_of

PATHS = (("dolly_in", 0.35, "slow push-in"), ("zoom_in", 1.0, "zoom"), ("pan_right", 1.0, "pan"))
DECODED = range(40, 80)  # frames, in the steady middle


def before_encoding(name: str, chosen: range) -> list[Check]:
    """Return what the chosen frames measure; flat, since depth has no exact reference."""
    picture = dead_leaves(SOURCE)
    checks: list[Check] = []
    for kind, strength, label in PATHS:
        clip = replace(clip_of(picture, kind, FRAMES[name], strength), depth=None)
        found = _measured(clip, chosen, luma(picture))
        checks += [
            Check(f"{name} {label}: off the ideal path, RMS", found.jitter, "px", most=0.01),
            Check(f"{name} {label}: luma against exact Lanczos", found.psnr, "dB", least=46.5),
            Check(f"{name} {label}: sharpness flicker", found.flicker, "%", most=0.1),
        ]
    return checks


def decoded(ffmpeg: str | None) -> list[Check]:
    """Return the jitter of decoded 720p zooms: ours with the default preset, and zoompan's."""
    picture, extent = dead_leaves(peers.SOURCE), FRAMES["720p"]
    clip = clip_of(picture, "zoom_in", extent)
    with tempfile.TemporaryDirectory() as folder:
        video = Path(folder, "ours.mp4")
        write_video(clip, video)
        views = [clip.path.at(clip.time(i)) for i in DECODED]
        checks = [Check("decoded zoom, ours: RMS", _jitter(video, picture, views), "px", most=0.03)]
        if ffmpeg:
            still, other = Path(folder, "still.png"), Path(folder, "zoompan.mp4")
            Image.fromarray(picture).save(still, compress_level=1)
            subprocess.run(peers.zoompan(ffmpeg, still, other), check=True, capture_output=True)
            found = _jitter(other, picture, [_zoompans(i, peers.SOURCE) for i in DECODED])
            checks.append(Check("decoded zoom, ffmpeg zoompan: RMS", found, "px"))
    return checks


def _measured(clip: Clip, chosen: range, exact: Luma) -> Smoothness:
    frames = [_luma(frame) for i, frame in enumerate(yuv_frames(clip)) if i in chosen]
    views = [clip.path.at(clip.time(i)) for i in chosen]
    return measure(frames, [lanczos(exact, view, clip.extent) for view in views])


def _zoompans(index: int, source: Extent) -> View:
    """Return the view that zoompan was asked for."""
    zoom = 1 + 0.25 * index / 119
    width, height = source.width / zoom, source.height / zoom
    return View(source.width / 2, source.height / 2, width, height)


def _jitter(video: Path, picture: Picture, views: list[View]) -> float:
    exact = luma(picture)
    with av.open(str(video)) as container:
        frames = _chosen(container.decode(video=0))
    return jitter(frames, [lanczos(exact, view, Extent.of(frames[0])) for view in views])


def _chosen(frames: Iterable[av.VideoFrame]) -> list[Luma]:
    return [_luma(frame) for i, frame in enumerate(frames) if i in DECODED]


def _luma(frame: av.VideoFrame) -> Luma:
    return plane_values(frame)[0].astype(float)
