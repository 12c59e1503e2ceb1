"""A made-up landscape for the tests: layers at several depths, so that motion can be seen.

Pure numpy, no file and no licence to care about.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

SKY = ((28, 48, 92), (232, 176, 140))
NEAR, FAR = np.array((18, 30, 34.0)), np.array((150, 140, 165.0))
LAYERS = 6


def landscape(width: int = 1920, height: int = 1280, seed: int = 3) -> np.ndarray:
    """Return (height, width, 3) uint8."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    u, v = x / width, y / height
    picture = _sky(u, v)
    rng = np.random.default_rng(seed)
    for layer in range(LAYERS):
        near = layer / (LAYERS - 1)
        ridge = 0.45 + 0.4 * near**1.3 - _ridge(np.arange(width) / width, rng, 0.11 + 0.1 * near)
        shade = FAR * (1 - near) + NEAR * near
        mist = np.clip((v - ridge) * (3 - 2 * near), 0, 1)[..., None]
        rock = shade + mist * (FAR - shade) * 0.55 * (1 - near)
        picture = np.where((v > ridge)[..., None], rock, picture)
    grain = rng.normal(0, 2.0, (height, width, 1)).astype(np.float32)
    return np.clip(picture + grain, 0, 255).astype(np.uint8)


def depth(width: int = 1920, height: int = 1280) -> np.ndarray:
    """Return a rough depth map for it, (height, width) uint8: white near."""
    column = np.clip((np.linspace(0, 1, height) - 0.35) / 0.6, 0, 1)
    return np.repeat((column * 255).astype(np.uint8)[:, None], width, axis=1)


def save(path: Path, picture: np.ndarray | None = None) -> Path:
    """Write a picture (the landscape) and return its path."""
    Image.fromarray(landscape() if picture is None else picture).save(path)
    return path


def _sky(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    top, low = (np.array(colour, np.float32) for colour in SKY)
    sky = top + (low - top) * np.clip(v / 0.6, 0, 1)[..., None] ** 0.8
    away = np.hypot((u - 0.62) * 1.5, v - 0.36)
    glow = np.exp(-((away / 0.22) ** 2)) * 70 + (away < 0.055) * 90
    return sky + glow[..., None] * np.array((1, 0.85, 0.55), np.float32)


def _ridge(u: np.ndarray, rng: np.random.Generator, tall: float) -> np.ndarray:
    line = np.zeros_like(u)
    for octave in range(1, 8):
        phase, bend = rng.uniform(0, 2 * np.pi), rng.uniform(0.8, 1.25)
        line += np.abs(np.sin(np.pi * u * bend * 1.7**octave + phase)) * 0.55**octave
    return (line - line.min()) / (line.max() - line.min()) * tall
