"""The same zoom by moviepy, as its users write it; run by a Python that has moviepy."""

from __future__ import annotations

import importlib
import sys


def main() -> None:
    """Render argv[1] to argv[2]: 1280x720, 5 s, 24 fps, zooming in by a quarter."""
    moviepy = importlib.import_module("moviepy")  # not among the project's dependencies
    still = moviepy.ImageClip(sys.argv[1]).with_duration(5)
    start = 1280 / still.w
    zoomed = still.resized(lambda t: start * (1 + 0.05 * t)).with_position("center")
    moviepy.CompositeVideoClip([zoomed], size=(1280, 720)).write_videofile(
        sys.argv[2],
        fps=24,
        codec="libx264",
        preset="veryfast",
        ffmpeg_params=["-crf", "20"],
        audio=False,
        logger=None,
    )


if __name__ == "__main__":
    main()
