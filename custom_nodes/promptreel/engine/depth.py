"""Depth for parallax: any map made gentle, and the limiter of what is done with it.

Knows depth maps and amplitudes. Must not know cameras or frames. The guess of depth from the
picture alone is `prior`'s part.
"""

from __future__ import annotations

import numpy as np
from PIL import Image

from .relief import Floats, Relief
from .values import Depth, Extent, Picture
from .view import RELIEF

SIDE = 256  # pixels of a field's longer side
SOFTNESS = 1 / 40  # Gaussian's sigma for a given map, as a part of the field's longer side
STEEPEST = 0.12  # most that neighbours may be squeezed or stretched: beyond it lines bend


def relief(depth: Depth, source: Extent, amplitude: float) -> Relief:
    """Return depth as relief around the middle's, flattened as far as the limiter asks.

    `amplitude` is how far the camera moves a point of relief 1, in frame widths; with more than
    STEEPEST / (steepest slope) of it the picture would seem to be made of rubber.
    """
    field = _bounded(depth - np.float32(_pivot(depth)), -RELIEF, RELIEF)
    return Relief(field * np.float32(_limit(field, source, amplitude)), source)


def gentle(depth: Depth) -> Depth:
    """Return a given map, of any size, as a small smooth field over 0..1."""
    values = np.nan_to_num(np.asarray(depth, np.float32))
    small = shrunk(values)
    blurred = _blurred(small, SOFTNESS * max(small.shape))
    low, high = np.quantile(blurred, (0.01, 0.99))
    spread = float(high - low)
    if spread < 1e-3:
        return np.full_like(blurred, 0.5)
    return _bounded((blurred - np.float32(low)) * np.float32(1 / spread), 0, 1)


def shrunk(values: Floats) -> Floats:
    """Return the values at SIDE pixels or fewer, averaged."""
    height, width = values.shape
    scale = min(SIDE / max(height, width), 1.0)
    size = max(round(width * scale), 2), max(round(height * scale), 2)
    return np.array(Image.fromarray(values).resize(size, Image.Resampling.BOX), np.float32)


def depth_prior(picture: Picture) -> Depth | None:
    """Return a guess of depth from the picture alone, or None where OpenCV is absent."""
    try:
        from .prior import guess  # noqa: PLC0415  OpenCV is optional
    except ImportError:
        return None
    return guess(picture)


def _pivot(depth: Depth) -> float:
    """Return the depth of the middle of the picture: the subject should stand still."""
    height, width = depth.shape
    middle = depth[height // 4 : height - height // 4, width // 3 : width - width // 3]
    return min(max(float(np.median(middle)), 1 - RELIEF), RELIEF)


def _limit(field: Floats, source: Extent, amplitude: float) -> float:
    """Return by how much the relief is flattened, 0..1."""
    height, width = field.shape
    across = np.abs(field[1:, 1:] - field[1:, :-1]) * width
    down = np.abs(field[1:, 1:] - field[:-1, 1:]) * (height * source.aspect)
    slope = float(np.quantile(np.hypot(across, down), 0.995))
    return min(STEEPEST / max(slope * amplitude, 1e-9), 1.0)


def _blurred(values: Floats, sigma: float) -> Floats:
    reach = max(round(3 * sigma), 1)
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    kernel = (kernel / kernel.sum()).astype(np.float32)
    down = _convolved(values, kernel)
    return np.transpose(_convolved(np.transpose(down), kernel))


def _convolved(values: Floats, kernel: Floats) -> Floats:
    """Convolve along the rows' axis, borders repeated."""
    reach = len(kernel) // 2
    padded = np.pad(values, ((reach, reach), (0, 0)), mode="edge")
    total = np.zeros_like(values)
    for i, weight in enumerate(kernel):
        total += weight * padded[i : i + len(values)]
    return total


def _bounded(values: Floats, low: float, high: float) -> Floats:
    return np.minimum(np.maximum(values, low), high).astype(np.float32)
