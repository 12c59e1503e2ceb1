"""A region of the picture as Y, U and V planes: what the frames are sampled from.

Knows colour (BT.709, limited range), chroma siting and where each plane lies in the source. Must
not know cameras, nor how planes are filtered and sampled (`resample_cv`, `resample_pillow`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeAlias, TypeVar

import av
import numpy as np
import numpy.typing as npt
from av.video.plane import VideoPlane
from av.video.reformatter import ColorRange, Colorspace

from .spans import Span
from .values import Extent, Picture
from .view import View

Values: TypeAlias = npt.NDArray[np.uint8]
Affine: TypeAlias = npt.NDArray[np.float64]  # (3, 3), between continuous coordinates
Pixels = TypeVar("Pixels")

BT709 = 1  # primaries and transfer (ITU-T H.273); PyAV has names for it only since 17

# From the pixels of a Y, U or V plane to the frame. Chroma is "left": between two rows, but on
# the left one of two columns, as H.264 has it where nothing else is said (ITU-T H.264, E.2.1).
_LUMA: Affine = np.eye(3)
_CHROMA: Affine = np.array([[2.0, 0.0, -0.5], [0.0, 2.0, 0.0], [0.0, 0.0, 1.0]])
TO_FRAME: tuple[Affine, Affine, Affine] = (_LUMA, _CHROMA, _CHROMA)


@dataclass(frozen=True)
class Plane(Generic[Pixels]):
    """Pixels that cover a region of the source evenly."""

    pixels: Pixels
    from_source: Affine


Level: TypeAlias = Sequence[Plane[Pixels]]  # Y, U, V


def plane_over(pixels: Pixels, extent: Extent, span: Span) -> Plane[Pixels]:
    """Return the plane of `extent` pixels that covers the region of `span`."""
    x, y = extent.width / span.extent.width, extent.height / span.extent.height
    moved = np.array([[x, 0.0, -x * span.left], [0.0, y, -y * span.top], [0.0, 0.0, 1.0]])
    return Plane(pixels, moved)


def cutoff(span: Span) -> float:
    """Return the band limit of a span's level, in the frame's own limits at the tightest view.

    Measured on spans of 1 to 1.33 times: what loses least sharpness at the tightest view and
    aliases least at the widest one.
    """
    return 1.08 * (span.tight / span.wide) ** 0.55


def view_affine(view: View, frame: Extent) -> Affine:
    """Return the map from the frame to the source."""
    return np.array([*view.matrix(frame), (0.0, 0.0, 1.0)])


def region(picture: Picture, span: Span) -> Picture:
    """Return the part of the picture that a span needs, without copying."""
    return picture[span.top : span.bottom, span.left : span.right]


def to_yuv(rgb: Picture) -> tuple[Values, Values, Values]:
    """Convert to full-size Y, U, V planes, BT.709, limited range (rounded exactly)."""
    frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(rgb), format="rgb24")
    yuv = frame.reformat(
        format="yuv444p",
        src_color_range=ColorRange.JPEG,
        dst_colorspace=Colorspace.ITU709,
        dst_color_range=ColorRange.MPEG,
    )
    y, u, v = (np.array(values) for values in plane_values(yuv))
    return y, u, v


def to_rgb(frame: av.VideoFrame) -> Picture:
    """Convert a yuv420p BT.709 frame to RGB, its chroma interpolated."""
    # In one step swscale would repeat chroma, and round all of it down.
    whole = frame.reformat(
        format="yuv444p",
        src_colorspace=Colorspace.ITU709,
        dst_colorspace=Colorspace.ITU709,
        src_color_range=ColorRange.MPEG,
        dst_color_range=ColorRange.MPEG,
        interpolation="BICUBIC",
    )
    rgb = whole.reformat(
        format="rgb24",
        src_colorspace=Colorspace.ITU709,
        src_color_range=ColorRange.MPEG,
        dst_color_range=ColorRange.JPEG,
    )
    (plane,) = rgb.planes
    rows = _rows(plane)[:, : 3 * rgb.width]
    return np.reshape(np.array(rows), (rgb.height, rgb.width, 3))


def blank_frame(extent: Extent) -> av.VideoFrame:
    """Return a fresh yuv420p frame, tagged BT.709 limited; its pixels are not set."""
    frame = av.VideoFrame(extent.width, extent.height, "yuv420p")
    frame.colorspace = Colorspace.ITU709
    frame.color_range = ColorRange.MPEG
    if hasattr(frame, "color_primaries"):  # PyAV 17; before it the encoder's own tags are enough
        frame.color_primaries = frame.color_trc = BT709
    return frame


def plane_values(frame: av.VideoFrame) -> tuple[Values, ...]:
    """Return the frame's planes as arrays that share its memory."""
    return tuple(_rows(plane)[: plane.height, : plane.width] for plane in frame.planes)


def _rows(plane: VideoPlane) -> Values:
    """Return the plane's memory, padding included."""
    values = np.frombuffer(memoryview(plane), np.uint8)
    return np.reshape(values, (len(values) // plane.line_size, plane.line_size))
