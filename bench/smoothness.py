"""How smoothly and sharply frames follow their path: pure measures on float luma planes.

The shift between a frame and its reference is found by least squares on the gradient, iterated
with a Fourier shift (Lucas and Kanade 1981): `cv2.phaseCorrelate` is biased below 0.1 px.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from promptreel.engine.values import Extent, Picture
from promptreel.engine.view import View

Luma = npt.NDArray[np.float64]
WINDOW = 160
_BT709 = np.array([0.2126, 0.7152, 0.0722]) * 219 / 255


def luma(picture: Picture) -> Luma:
    """Return exact limited-range BT.709 luma."""
    return picture @ _BT709 + 16


def lanczos(values: Luma, view: View, frame: Extent) -> Luma:
    """Render an unturned view exactly: Lanczos of 3 lobes, widened when it shrinks."""
    left, top = view.x - view.width / 2, view.y - view.height / 2
    rows = _resampled(values, top, view.height / frame.height, frame.height)
    return _resampled(rows.T, left, view.width / frame.width, frame.width).T


def _resampled(values: Luma, start: float, step: float, count: int) -> Luma:
    """Resample along the first axis."""
    stretch = max(step, 1.0)
    at = start + step * (np.arange(count) + 0.5) - 0.5
    first = np.floor(at - 3 * stretch).astype(int) + 1
    total, weights = np.zeros((count, values.shape[1])), np.zeros((count, 1))
    for tap in range(int(np.ceil(6 * stretch))):
        x = ((first + tap - at) / stretch)[:, None]
        weight = np.where(np.abs(x) < 3, np.sinc(x) * np.sinc(x / 3), 0.0)
        total += weight * values[np.clip(first + tap, 0, len(values) - 1)]
        weights += weight
    return total / weights


def psnr(frame: Luma, reference: Luma) -> float:
    """Return the peak signal to noise ratio in dB (peak 255)."""
    return float(10 * np.log10(255**2 / np.mean((frame - reference) ** 2)))


def shifts(frame: Luma, reference: Luma) -> npt.NDArray[np.float64]:
    """Return the (x, y) shift in pixels of 8 windows of the frame against the reference."""
    height, width = frame.shape
    size = min(WINDOW, height // 2 - 4, width // 4 - 4)
    rows = (height // 4 - size // 2, 3 * height // 4 - size // 2)
    columns = [round((i + 0.5) * width / 4) - size // 2 for i in range(4)]
    windows = [np.s_[y : y + size, x : x + size] for y in rows for x in columns]
    return np.array([_shift(frame[window], reference[window]) for window in windows])


def _shift(frame: Luma, reference: Luma) -> npt.NDArray[np.float64]:
    """Return by how much `frame` is moved against `reference`, in pixels."""
    taper = np.outer(np.hanning(len(frame)), np.hanning(frame.shape[1]))
    target = frame * 1.0
    total = np.zeros(2)
    for _ in range(4):
        gy, gx = np.gradient(reference)
        basis = np.stack([gx.ravel(), gy.ravel(), np.ones(gx.size)], axis=1)
        weight = taper.ravel()[:, None]
        left = (basis * weight).T @ basis
        right = (basis * weight).T @ (reference - target).ravel()
        step = np.linalg.solve(left, right)[:2]
        total += step
        target = _moved(frame, -total)
    return total


def _moved(values: Luma, by: npt.NDArray[np.float64]) -> Luma:
    """Shift by whole and part pixels in the Fourier domain; the taper hides the seam."""
    fy = np.fft.fftfreq(values.shape[0])[:, None]
    fx = np.fft.rfftfreq(values.shape[1])[None, :]
    phase = np.exp(-2j * np.pi * (fx * by[0] + fy * by[1]))
    return np.fft.irfft2(np.fft.rfft2(values) * phase, values.shape)


def sharpness(frame: Luma) -> float:
    """Return the energy of the finest detail."""
    dx = np.diff(frame, 2, axis=1)
    dy = np.diff(frame, 2, axis=0)
    return float(np.mean(dx * dx) + np.mean(dy * dy))


@dataclass(frozen=True)
class Smoothness:
    """What a run of frames measured."""

    psnr: float  # dB, mean
    jitter: float  # px, RMS deviation from the ideal path
    worst: float  # px
    step: float  # px, RMS change of the deviation from frame to frame
    flicker: float  # percent, of sharpness beside the reference's


def measure(frames: Sequence[Luma], references: Sequence[Luma]) -> Smoothness:
    """Compare frames with their references."""
    pairs = list(zip(frames, references, strict=True))
    moved = np.array([shifts(frame, reference) for frame, reference in pairs])
    ratios = np.array([sharpness(f) / sharpness(r) for f, r in pairs])
    return Smoothness(
        float(np.mean([psnr(f, r) for f, r in pairs])),
        float(np.sqrt(np.mean(np.sum(moved**2, axis=2)) / 2)),
        float(np.abs(moved).max()),
        float(np.sqrt(np.mean(np.diff(moved, axis=0) ** 2))),
        _flicker(ratios),
    )


def jitter(frames: Sequence[Luma], references: Sequence[Luma]) -> float:
    """Return the RMS shift in pixels, each window's slow (quadratic) drift taken out."""
    moved = np.array([shifts(f, r) for f, r in zip(frames, references, strict=True)])
    columns = moved.reshape(len(moved), -1).T
    return float(np.sqrt(np.mean([_detrended(column) ** 2 for column in columns])))


def _flicker(ratios: npt.NDArray[np.float64]) -> float:
    """Return the standard deviation, in percent, of what is not a slow change.

    Each value against its neighbours' mean; the factor makes white noise come out as it is.
    """
    off = ratios[1:-1] - (ratios[:-2] + ratios[2:]) / 2
    return float(100 * np.sqrt(2 / 3) * np.std(off))


def _detrended(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Take the slow change out."""
    at = np.arange(len(values))
    return values - np.polyval(np.polyfit(at, values, 2), at)
