"""Every limit of the engine, in one place, with the sentence said when it is passed.

Knows numbers only. Must not know pictures, scenes or encoders.
"""

from __future__ import annotations

import math
from fractions import Fraction

from .errors import ParameterError
from .values import Extent, Fps

MIN_SECONDS = 0.5
MAX_SECONDS = 60.0
DEFAULT_SECONDS = 5.0

MIN_FPS = 1
MAX_FPS = 60
DEFAULT_FPS = 24

MIN_SIDE = 16  # smallest frame side that every encoder takes
MAX_SIDE = 4096  # H.264 level 5.2 and libwebp both stay safe below it

# Below Pillow's own decompression-bomb warning (89.4 million), so that ours is the one that
# speaks, and above what 61-megapixel cameras take.
MAX_PIXELS = 64_000_000
MAX_PICTURE_BYTES = 256 * 1024 * 1024

MAX_TEXT = 200_000  # characters that the parser looks at; the rest stays in the prompt


def check_seconds(seconds: float) -> float:
    """Return `seconds`; raise ParameterError outside of MIN_SECONDS..MAX_SECONDS."""
    if not MIN_SECONDS <= seconds <= MAX_SECONDS:  # also refuses NaN
        raise ParameterError(
            f"The length must be {MIN_SECONDS:g} to {MAX_SECONDS:g} seconds, not {seconds:g}."
        )
    return float(seconds)


def clamp_seconds(seconds: float) -> float:
    """Return the allowed length nearest to `seconds`."""
    return min(max(seconds, MIN_SECONDS), MAX_SECONDS)


def check_fps(fps: Fraction | float) -> Fps:
    """Return `fps` as a Fraction; NTSC rates such as 29.97 become exact (30000/1001).

    Raises ParameterError outside of MIN_FPS..MAX_FPS.
    """
    if not (math.isfinite(fps) and MIN_FPS <= fps <= MAX_FPS):
        raise ParameterError(f"The frame rate must be {MIN_FPS} to {MAX_FPS} fps, not {fps}.")
    if isinstance(fps, Fraction) or fps == int(fps):
        return Fraction(fps)
    ntsc = Fraction(round(fps * 1.001) * 1000, 1001)
    return ntsc if abs(float(ntsc) - fps) < 0.005 else Fraction(fps).limit_denominator(1001)


def check_extent(extent: Extent) -> Extent:
    """Return `extent`; raise ParameterError if a side is odd or out of MIN_SIDE..MAX_SIDE."""
    sides = (extent.width, extent.height)
    if any(side % 2 or not MIN_SIDE <= side <= MAX_SIDE for side in sides):
        raise ParameterError(
            f"The video's sides must be even and {MIN_SIDE} to {MAX_SIDE} pixels, not {extent}."
        )
    return extent
