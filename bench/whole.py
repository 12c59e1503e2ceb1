"""One whole process of ours: `python -m bench.whole PICTURE VIDEO ...`, from a file to a file.

Prints the peak of its memory in MB.
"""

from __future__ import annotations

import argparse
import resource
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

from promptreel.engine.clip import compose
from promptreel.engine.encode import Job, encode
from promptreel.engine.formats import format_named
from promptreel.engine.picture import load_picture
from promptreel.engine.render import yuv_frames
from promptreel.engine.scene import parse_scene
from promptreel.engine.values import Extent


def main() -> None:
    """Render what the arguments ask for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("picture", type=Path)
    parser.add_argument("video", type=Path)
    parser.add_argument("--text", default="zoom in")
    parser.add_argument("--size", default="1280x720")
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--fps", type=Fraction, default=Fraction(24))
    parser.add_argument("--preset", help="a plain x264 preset instead of the format's options")
    asked = parser.parse_args()
    extent = Extent(*(int(side) for side in asked.size.split("x")))
    clip = compose(
        load_picture(asked.picture),
        parse_scene(asked.text),
        extent=extent,
        fps=asked.fps,
        seconds=asked.seconds,
    )
    row = format_named("mp4")
    if asked.preset:
        row = replace(row, options={"preset": asked.preset, "crf": "20"})
    encode(yuv_frames(clip), Job(extent, clip.fps, clip.frames, row), asked.video)
    print(_peak())


def _peak() -> float:
    """Return this process's peak resident memory in MB.

    Linux counts a parent's own memory into `ru_maxrss`, but not into VmHWM.
    """
    status = Path("/proc/self/status")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1 << 20)
    (line,) = (row for row in status.read_text().splitlines() if row.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


if __name__ == "__main__":
    main()
