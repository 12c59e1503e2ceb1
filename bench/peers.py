"""Whole processes side by side: ours, ffmpeg's zoompan and moviepy, from a PNG to an mp4."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image
from promptreel.engine.values import Extent

from bench.rounds import Check, Task, interleaved
from bench.sources import dead_leaves

SOURCE = Extent(3200, 1800)  # exactly 16:9, so that all of them take the same window
ZOOM = "1+0.25*on/119"


@dataclass(frozen=True)
class Peers:
    """The programs that were found; None: not on this machine."""

    ffmpeg: str | None
    moviepy: str | None  # a Python that has it

    @staticmethod
    def found(moviepy: str | None) -> Peers:
        """Look for ffmpeg on the PATH and moviepy in `moviepy`, or in this Python."""
        python = moviepy or sys.executable
        probe = subprocess.run([python, "-c", "import moviepy"], capture_output=True, check=False)
        return Peers(shutil.which("ffmpeg"), python if probe.returncode == 0 else None)


def ours(picture: Path, video: Path, *more: str) -> list[str]:
    """Return the command of our own whole process."""
    return [sys.executable, "-m", "bench.whole", str(picture), str(video), *more]


def zoompan(ffmpeg: str, picture: Path, video: Path) -> list[str]:
    """Return ffmpeg's command for a centred zoom by a quarter, 720p, 5 s, 24 fps."""
    still = f"zoompan=z='{ZOOM}':x='iw/2-iw/zoom/2':y='ih/2-ih/zoom/2':d=120:s=1280x720:fps=24"
    encoder = ["-c:v", "libx264", "-preset", "veryfast", "-crf", "20", "-pix_fmt", "yuv420p"]
    quiet = [ffmpeg, "-hide_banner", "-loglevel", "error", "-y"]
    return [*quiet, "-i", str(picture), "-vf", still, *encoder, str(video)]


def peers(rounds: int, found: Peers) -> list[Check]:
    """Return the ratios of whole processes."""
    with tempfile.TemporaryDirectory() as folder:
        picture, video = Path(folder, "still.png"), Path(folder, "video.mp4")
        Image.fromarray(dead_leaves(SOURCE)).save(picture, compress_level=1)
        tasks: dict[str, Task] = {
            "ours": _run(ours(picture, video, "--preset", "veryfast")),
            "ours, default": _run(ours(picture, video)),
        }
        if found.ffmpeg:
            tasks["zoompan"] = _run(zoompan(found.ffmpeg, picture, video))
        if found.moviepy:
            script = str(Path(__file__).with_name("moviepy_zoom.py"))
            tasks["moviepy"] = _run([found.moviepy, script, str(picture), str(video)])
        measured = interleaved(tasks, rounds)
    checks = [Check("ours, default preset: whole process", measured.wall("ours, default"), "s")]
    if found.ffmpeg:
        ratio = measured.ratio("ours", "zoompan")
        checks.append(Check("ours / ffmpeg zoompan, both veryfast", ratio, most=1.2))
        ratio = measured.ratio("ours, default", "zoompan")
        checks.append(Check("ours, default preset / ffmpeg zoompan", ratio))
    if found.moviepy:
        ratio = measured.ratio("moviepy", "ours")
        checks.append(Check("moviepy / ours, both veryfast", ratio, least=3.0))
    return checks


def _run(command: Sequence[str]) -> Task:
    return lambda: subprocess.run(command, check=True, capture_output=True)


def memory() -> list[Check]:
    """Return the peak memory of 5 and 60 seconds at 1080p, whole processes."""
    with tempfile.TemporaryDirectory() as folder:
        picture, video = Path(folder, "still.png"), Path(folder, "video.mp4")
        Image.fromarray(dead_leaves(Extent(3000, 2000))).save(picture, compress_level=1)
        size = ("--size", "1920x1080", "--text", "orbit left, then zoom in")
        short, long = (
            _peak(ours(picture, video, *size, "--seconds", seconds)) for seconds in ("5", "60")
        )
    return [
        Check("1080p, 5 s: peak memory", short, "MB"),
        Check("1080p, 60 s: peak memory", long, "MB"),
        Check("1080p: 60 s more than 5 s", long - short, "MB", most=100),
    ]


def _peak(command: Sequence[str]) -> float:
    """Run our whole process; return its peak resident memory in MB."""
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
