"""A guess of depth from the picture alone, by OpenCV.

What is low in the picture, stands out from its border and is sharp counts as near; the sum is
smoothed along the picture's own edges (reference: motion.md, section 4). Must not know cameras.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from .depth import SIDE
from .relief import Floats
from .values import Depth, Picture

LOW, STANDS_OUT, SHARP = 0.50, 0.35, 0.15


def guess(picture: Picture) -> Depth:
    """Return depth 0 far .. 1 near, at SIDE pixels along its longer side."""
    small = _shrunk(picture)
    gray = _floats(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY) / 255)
    parts = LOW * _low(gray.shape) + STANDS_OUT * _standing_out(small) + SHARP * _sharp(gray)
    near = _floats(parts)
    side = max(gray.shape)
    for radius, eps in ((side // 12, 4e-3), (side // 24, 2e-3)):
        near = _guided(gray, near, max(radius, 1), eps)
    return _spread(_floats(cv2.GaussianBlur(near, (0, 0), max(side / 96, 0.5))))


def _shrunk(picture: Picture) -> Picture:
    every = max(max(picture.shape) // (2 * SIDE), 1)  # all pixels would cost more, and tell no more
    picture = np.ascontiguousarray(picture[::every, ::every])
    height, width = picture.shape[:2]
    scale = SIDE / max(height, width)
    size = max(round(width * scale), 8), max(round(height * scale), 8)
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(picture, size, interpolation=how), np.uint8)


def _low(shape: tuple[int, ...]) -> Floats:
    u = np.linspace(0, 1, shape[0], dtype=np.float32)[:, None]
    return np.broadcast_to(u * u * (3 - 2 * u), shape)


def _standing_out(small: Picture) -> Floats:
    """Return how unlike each pixel is to all parts of the border, most in the middle."""
    lab = _floats(cv2.cvtColor(_floats(small / 255), cv2.COLOR_RGB2LAB))
    height, width = lab.shape[:2]
    planes = np.ascontiguousarray(np.transpose(np.reshape(lab, (height * width, 3))))
    nearest = np.sqrt(np.min([_squares(planes, part) for part in _border(lab)], axis=0))
    y = np.linspace(-1, 1, height, dtype=np.float32)[:, None]
    x = np.linspace(-1, 1, width, dtype=np.float32)[None, :]
    centred = np.exp(-(x * x + y * y))
    return _spread(_floats(np.reshape(nearest, (height, width)) * centred))


def _squares(planes: Floats, color: Floats) -> Floats:
    off = planes - color[:, None]
    return _floats(off[0] * off[0] + off[1] * off[1] + off[2] * off[2])


def _border(lab: Floats) -> list[Floats]:
    """Return the mean colours of the border's parts: thirds of each side."""
    rim = max(min(lab.shape[:2]) // 12, 1)
    turned = np.swapaxes(lab, 0, 1)
    strips = (lab[:rim], lab[-rim:], turned[:rim], turned[-rim:])
    parts = (part for strip in strips for part in np.array_split(strip, 3, axis=1))
    return [part.mean(axis=(0, 1)) for part in parts]


def _sharp(gray: Floats) -> Floats:
    detail = np.abs(cv2.Laplacian(gray, cv2.CV_32F))
    return _spread(_floats(cv2.GaussianBlur(detail, (0, 0), max(gray.shape) / 48)))


def _spread(values: Floats) -> Floats:
    """Stretch the values over 0..1, leaving out the outermost ones."""
    low, high = np.quantile(values[::2, ::2], (0.01, 0.99))
    spread = np.float32(max(high - low, 1e-6))
    return _floats(np.minimum(np.maximum((values - np.float32(low)) / spread, 0), 1))


def _guided(guide: Floats, values: Floats, radius: int, eps: float) -> Floats:
    """Smooth along the guide's edges (He, Sun and Tang, Guided Image Filtering, 2010)."""

    def mean(array: Floats) -> Floats:
        return _floats(cv2.blur(array, (2 * radius + 1, 2 * radius + 1)))

    guide_mean, values_mean = mean(guide), mean(values)
    covariance = mean(_floats(guide * values)) - guide_mean * values_mean
    variance = mean(_floats(guide * guide)) - guide_mean * guide_mean
    a = _floats(covariance / (variance + eps))
    return _floats(mean(a) * guide + mean(_floats(values_mean - a * guide_mean)))


def _floats(values: npt.NDArray[Any] | cv2.typing.MatLike) -> Floats:
    return values.astype(np.float32, copy=False)
