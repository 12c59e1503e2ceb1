"""Pictures to measure with, made here: nothing is downloaded.

Dead leaves (discs of all sizes over one another) have the statistics of natural pictures; text
and hairlines show what a resampler does to detail.
"""

from __future__ import annotations

import cv2
import numpy as np
from promptreel.engine.values import Extent, Picture

TEXT = "PromptReel 0123456789"


def dead_leaves(extent: Extent, seed: int = 0, discs: int = 6000, grain: float = 2.0) -> Picture:
    """Return overlapping discs whose radii follow a power law, some text, and grain."""
    rng = np.random.default_rng(seed)
    picture = np.full((extent.height, extent.width, 3), 128, np.uint8)
    largest = 0.18 * min(extent.width, extent.height)
    radii = 4 * (largest / 4) ** (rng.random(discs) ** 2.2)
    for radius in sorted(radii, reverse=True):
        at = (int(rng.integers(0, extent.width)), int(rng.integers(0, extent.height)))
        color = tuple(int(c) for c in rng.integers(16, 240, 3))
        cv2.circle(picture, at, max(round(radius), 1), color, -1, cv2.LINE_AA)
    _write(picture, rng)
    noisy = picture + rng.normal(0, grain, picture.shape)
    return np.clip(np.rint(noisy), 0, 255).astype(np.uint8)


def _write(picture: Picture, rng: np.random.Generator) -> None:
    height, width = picture.shape[:2]
    for scale in (0.4, 0.6, 1.0, 1.6, 2.6):
        for _ in range(3):
            at = (int(rng.integers(0, width * 2 // 3)), int(rng.integers(40, height)))
            color = tuple(int(c) for c in rng.integers(0, 256, 3))
            thick = max(round(scale * 1.5), 1)
            cv2.putText(picture, TEXT, at, cv2.FONT_HERSHEY_SIMPLEX, scale, color, thick)
