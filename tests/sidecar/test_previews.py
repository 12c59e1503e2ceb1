"""Pictures of a video while the engine renders it."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image

from sidecar.backends.previews import EVERY_S, previewing
from sidecar.engine import Extent, compose, parse_scene


class Shown:
    """Renders a made-up video of `frames` frames, each `frame_s` long; keeps what is shown."""

    def __init__(self, text: str, frames: int, frame_s: float, extent: Extent) -> None:
        picture = np.zeros((300, 400, 3), np.uint8)
        picture[:, 200:] = 255
        clip = compose(picture, parse_scene(text), extent=extent)
        self.now = 0.0
        self.at: list[float] = []
        self.pictures: list[Image.Image] = []
        self.reports: list[tuple[int, int]] = []
        told = previewing(clip, self._report, self._show, lambda: self.now)
        told(0, 0)
        for done in range(frames + 1):
            told(done, frames)
            self.now += frame_s

    def _report(self, done: int, total: int) -> None:
        self.reports.append((done, total))

    def _show(self, data: bytes) -> None:
        self.at.append(self.now)
        self.pictures.append(Image.open(io.BytesIO(data)))


def test_they_come_now_and_then_and_move():
    shown = Shown("pan right", 100, 0.1, Extent(1280, 720))
    assert 8 <= len(shown.pictures) <= 14
    assert min(b - a for a, b in zip(shown.at, shown.at[1:], strict=False)) >= EVERY_S / 2
    assert {(image.format, image.size) for image in shown.pictures} == {("JPEG", (480, 270))}
    light = [np.asarray(image.convert("L")).mean() for image in shown.pictures]
    assert light[-1] > light[0] + 5, "the camera goes to the white half"
    assert shown.reports[-1] == (100, 100)


def test_a_short_video_has_none():
    assert not Shown("pan right", 20, 0.02, Extent(640, 480)).pictures


def test_a_thin_frame_stays_even_and_large_enough():
    shown = Shown("zoom in", 30, 0.2, Extent(1920, 16))
    assert {image.size for image in shown.pictures} == {(480, 16)}
