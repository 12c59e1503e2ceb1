"""Frames as they leave the renderer: exact, smooth, inside of the picture, the same by Pillow."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from itertools import islice

import av
import numpy as np
import pytest
from av.video.reformatter import ColorRange, Colorspace
from promptreel.engine.clip import Clip, compose, first_frame, rgb_frames
from promptreel.engine.planes import plane_values, to_yuv
from promptreel.engine.render import yuv_frames
from promptreel.engine.resample import Resampler, resampler
from promptreel.engine.resample_cv import CvResampler
from promptreel.engine.resample_pillow import PillowResampler
from promptreel.engine.values import CameraMove, Extent, Picture, Scene, Shot

from bench.smoothness import lanczos, luma, measure
from bench.sources import dead_leaves

FRAME = Extent(640, 360)
SMALL = Extent(160, 90)
KINDS = ("zoom_in", "pan_left", "tilt_up", "truck_right", "roll_cw", "orbit_left", "handheld")
TOOLS = ("opencv", "pillow")


@pytest.fixture(scope="module")
def leaves() -> Picture:
    return dead_leaves(Extent(1500, 1000), discs=2500)


def clip_of(
    picture: Picture,
    *kinds: str,
    strength: float = 1.0,
    extent: Extent = SMALL,
    seconds: float = 1.0,
    fps: int = 6,
) -> Clip:
    shots = tuple(Shot((CameraMove(kind, strength),)) for kind in kinds)
    return compose(picture, Scene("", "", shots=shots), extent=extent, fps=fps, seconds=seconds)


def tools(name: str, clip: Clip) -> Resampler:
    turning = clip.path.has_roll or clip.depth is not None
    return CvResampler() if name == "opencv" else PillowResampler(turning=turning)


def lumas(frames: Iterator[av.VideoFrame]) -> list:
    return [plane_values(frame)[0].astype(float) for frame in frames]


@pytest.mark.parametrize(("name", "least"), [("opencv", 46.5), ("pillow", 45.5)])
@pytest.mark.parametrize("kind", ["zoom_in", "pan_right"])
def test_a_slow_move_is_smooth_and_sharp(leaves: Picture, name: str, least: float, kind: str):
    """Against exact Lanczos on the ideal path; OpenCV's limits are those the README quotes."""
    clip = clip_of(leaves, kind, strength=0.6, extent=FRAME, seconds=5.0, fps=24)
    chosen = range(50, 62, 2)
    frames = lumas(islice(yuv_frames(clip, tools(name, clip)), 50, 62, 2))
    exact = luma(leaves)
    references = [lanczos(exact, clip.path.at(clip.time(i)), FRAME) for i in chosen]
    found = measure(frames, references)
    assert found.psnr >= least
    assert found.jitter <= 0.01
    assert found.flicker <= 0.1


def test_the_measure_sees_a_rounded_path(leaves: Picture):
    """What zoompan does, whole source pixels, must fail the test above."""
    clip = replace(clip_of(leaves, "pan_right", extent=FRAME), frames=6)
    exact = luma(leaves)
    views = [clip.path.at(clip.time(i)) for i in range(6)]
    rounded = [lanczos(exact, replace(view, x=round(view.x)), FRAME) for view in views]
    assert measure(rounded, [lanczos(exact, view, FRAME) for view in views]).jitter > 0.05


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("extent", [SMALL, Extent(854, 480)])
@pytest.mark.parametrize("size", [Extent(900, 600), Extent(120, 80)])
def test_pillow_renders_what_opencv_does(leaves: Picture, kind: str, extent: Extent, size: Extent):
    part = leaves[: size.height, : size.width].copy()
    clip = replace(clip_of(part, kind, extent=extent), frames=3)
    for ours, theirs in zip(yuv_frames(clip), yuv_frames(clip, tools("pillow", clip)), strict=True):
        for a, b in zip(plane_values(ours), plane_values(theirs), strict=True):
            assert np.abs(a.astype(float) - b).mean() <= 3.5


@pytest.mark.parametrize("name", TOOLS)
@pytest.mark.parametrize("kind", [*KINDS, "dolly_in", "dolly_zoom", "zoom_out", "pedestal_up"])
@pytest.mark.parametrize("size", [(60, 200), (200, 60), (90, 160), (1, 1), (10, 3000)])
def test_no_frame_shows_what_lies_beside_the_picture(name: str, kind: str, size: tuple[int, int]):
    """A white picture gives white frames to the last pixel, whatever is moved and bent."""
    white = np.full((*size, 3), 255, np.uint8)
    clip = clip_of(white, kind, strength=2.0)
    for frame in yuv_frames(clip, tools(name, clip)):
        y, u, v = plane_values(frame)
        for values, level in ((y, 235), (u, 128), (v, 128)):
            assert np.abs(values.astype(int) - level).max() <= 1  # OpenCV's LANCZOS4 rounds


@pytest.mark.parametrize("name", TOOLS)
def test_the_border_of_the_picture_never_leaks_in(name: str):
    """A frame that reaches the picture's edge shows its last pixels, not beyond them."""
    picture = np.zeros((180, 320, 3), np.uint8)
    picture[:, :, 1] = 200
    clip = clip_of(picture, "roll_cw", "pan_left", strength=2.0, extent=Extent(320, 180))
    for rgb in map(np.asarray, (plane_values(f)[0] for f in yuv_frames(clip, tools(name, clip)))):
        assert int(np.ptp(rgb)) <= 1


def test_frames_are_tagged_and_counted(leaves: Picture):
    frames = list(yuv_frames(clip_of(leaves, "zoom_in")))
    assert [frame.pts for frame in frames] == [0, 1, 2, 3, 4, 5]
    for frame in frames:
        assert (frame.width, frame.height, frame.format.name) == (160, 90, "yuv420p")
        assert frame.time_base == Fraction(1, 6)
        assert (frame.colorspace, frame.color_range) == (Colorspace.ITU709, ColorRange.MPEG)


@pytest.mark.parametrize("name", TOOLS)
def test_chroma_lies_on_the_left_column(name: str):
    """H.264's place for chroma: half a luma pixel left of the middle."""
    wave = np.rint(128 + 90 * np.sin(np.arange(640) / 12)).astype(np.uint8)
    picture = np.zeros((360, 640, 3), np.uint8)
    picture[:, :, 0], picture[:, :, 2] = wave, 255 - wave
    clip = clip_of(picture, extent=Extent(320, 180))
    _, _, v = plane_values(next(yuv_frames(clip, tools(name, clip))))
    wide = to_yuv(picture)[2][180].astype(float)
    at = (2 * np.arange(160) + 0.5) * 2 - 0.5
    off = v[45] - np.interp(at, np.arange(640), wide)
    slope = 2 * np.interp(at, np.arange(640), np.gradient(wide))  # for each pixel of the frame
    for part in (slice(2, 42), slice(60, 100), slice(-42, -2)):
        assert abs((off * slope)[part].sum() / (slope**2)[part].sum()) < 0.1


@pytest.mark.parametrize("name", TOOLS)
def test_colours_survive(name: str):
    colours = np.array([[200, 40, 40], [40, 200, 40], [40, 40, 200], [128, 128, 128]], np.uint8)
    picture = np.repeat(np.repeat(colours[None], 90, axis=0), 40, axis=1)
    clip = clip_of(picture, extent=Extent(160, 90))
    frame = next(yuv_frames(clip, tools(name, clip)))
    expected = [plane[0, 20::40] for plane in to_yuv(picture)]
    for values, levels, step in zip(plane_values(frame), expected, (1, 2, 2), strict=True):
        found = values[20, 20 // step :: 40 // step]
        assert np.abs(found.astype(int) - levels).max() <= 1
    assert np.abs(first_frame(clip)[45, 20::40].astype(int) - colours).max() <= 3


def test_rgb_frames_are_the_same_frames(leaves: Picture):
    clip = clip_of(leaves, "pan_left")
    frames = list(rgb_frames(clip))
    assert len(frames) == 6
    assert all(frame.shape == (90, 160, 3) and frame.flags.c_contiguous for frame in frames)
    assert np.array_equal(frames[0], first_frame(clip))
    assert not np.array_equal(frames[0], frames[-1])


def test_levels_change_without_a_jump(leaves: Picture):
    """A strong zoom fades from level to level: no frame differs from its neighbours by more."""
    clip = clip_of(leaves, "zoom_in", strength=3.0, extent=SMALL, seconds=5.0, fps=12)
    energy = np.array([np.abs(np.diff(y, axis=1)).mean() for y in lumas(yuv_frames(clip))])
    steps = np.abs(np.diff(np.log(energy)))
    assert steps.max() < 0.03


def test_a_picture_larger_than_any_level_is_rendered():
    strip = np.zeros((10, 30000, 3), np.uint8)
    strip[:, ::2] = 255
    clip = clip_of(strip, "pan_right", strength=3.0, extent=Extent(270, 90), seconds=60.0, fps=1)
    assert sum(1 for _ in yuv_frames(clip)) == 60


def test_memory_does_not_grow_with_length(leaves: Picture):
    def peak(seconds: float) -> int:
        clip = clip_of(leaves, "orbit_left", extent=Extent(320, 180), seconds=seconds, fps=24)
        tracemalloc.start()
        try:
            for _ in yuv_frames(clip):
                pass
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    assert peak(10.0) - peak(1.0) < 500_000


def test_opencv_is_used_where_it_can_be_imported():
    assert isinstance(resampler(turning=False), CvResampler)


def test_pillow_is_used_where_opencv_is_absent(monkeypatch: pytest.MonkeyPatch, leaves: Picture):
    monkeypatch.setitem(__import__("sys").modules, "cv2", None)
    monkeypatch.delitem(__import__("sys").modules, "promptreel.engine.resample_cv")
    monkeypatch.delitem(__import__("sys").modules, "promptreel.engine.prior", raising=False)
    assert isinstance(resampler(turning=False), PillowResampler)
    clip = clip_of(leaves, "orbit_left")
    assert clip.depth is None
    assert sum(1 for _ in yuv_frames(clip)) == 6
