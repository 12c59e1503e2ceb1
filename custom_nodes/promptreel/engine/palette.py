"""Frames in the pixels that a format wants: as they are, RGB, or a palette of 256 colours.

Knows conversions of pixels. Must not know files.
"""

from __future__ import annotations

from typing import Any

import av
import numpy as np
from av.video.reformatter import ColorRange, Colorspace
from PIL import Image

from .planes import to_rgb

_REDUCED = 4  # the palette is made from a picture this much smaller: as good, and 16 times faster


def as_pixels(frame: av.VideoFrame, pix_fmt: str) -> av.VideoFrame:
    """Return a yuv420p BT.709 frame in `pix_fmt`: yuv420p, bgra, or pal8 (dithered)."""
    if pix_fmt == "yuv420p":
        return frame
    if pix_fmt == "pal8":
        return _dithered(frame)
    return frame.reformat(
        format=pix_fmt,
        src_colorspace=Colorspace.ITU709,
        src_color_range=ColorRange.MPEG,
        dst_color_range=ColorRange.JPEG,
        interpolation="BICUBIC",
    )


def _dithered(frame: av.VideoFrame) -> av.VideoFrame:
    """Give the frame the best palette of its own: memory stays that of one frame."""
    image = Image.fromarray(to_rgb(frame))
    palette = image.reduce(_REDUCED).quantize(256, method=Image.Quantize.MEDIANCUT)
    indexed = image.quantize(palette=palette, dither=Image.Dither.FLOYDSTEINBERG)
    colors = np.zeros((256, 4), np.uint8)
    colors[:, 0] = 255  # ARGB: opaque
    flat = indexed.getpalette("RGB") or []
    for channel in range(3):
        colors[: len(flat) // 3, channel + 1] = flat[channel::3]
    pixels: Any = (np.asarray(indexed), colors)  # what from_ndarray takes for pal8
    return av.VideoFrame.from_ndarray(pixels, format="pal8")
