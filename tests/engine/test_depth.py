from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from promptreel.engine.clip import Clip, compose
from promptreel.engine.depth import SIDE, STEEPEST, depth_prior, gentle, relief
from promptreel.engine.planes import plane_values
from promptreel.engine.relief import Bend
from promptreel.engine.render import yuv_frames
from promptreel.engine.resample_cv import CvResampler
from promptreel.engine.resample_pillow import PillowResampler
from promptreel.engine.values import CameraMove, Depth, Extent, Picture, Scene, Shot
from promptreel.engine.view import RELIEF, View

from bench.sources import dead_leaves

SOURCE = Extent(900, 600)
FRAME = Extent(320, 180)


@pytest.fixture(scope="module")
def leaves() -> Picture:
    return dead_leaves(SOURCE, discs=1500)


def near_disc(extent: Extent = SOURCE) -> Depth:
    """Return a near disc in front of a far wall, with a hard edge."""
    y, x = np.mgrid[: extent.height, : extent.width]
    away = np.hypot(x - extent.width / 2, y - extent.height / 2)
    return (away < extent.height / 4).astype(np.float32)


def clip_of(picture: Picture, kind: str, depth: Depth | None, strength: float = 1.0) -> Clip:
    scene = Scene("", "", shots=(Shot((CameraMove(kind, strength),)),))
    return compose(picture, scene, extent=FRAME, fps=4, seconds=5, depth=depth)


@pytest.mark.parametrize("amplitude", [0.01, 0.05, 0.3])
def test_the_limiter_keeps_the_sheet_from_tearing(amplitude: float):
    found = relief(gentle(near_disc()), SOURCE, amplitude)
    across = np.abs(np.diff(found.field, axis=1)) * found.field.shape[1] * amplitude
    assert np.quantile(across, 0.995) <= STEEPEST * 1.01
    assert np.ptp(found.field) > 0
    assert np.abs(found.field).max() <= RELIEF


def test_little_depth_is_left_as_it_is():
    slope = np.linspace(0, 1, 300, dtype=np.float32)[:, None] * np.ones((1, 400), np.float32)
    found = relief(gentle(slope), Extent(400, 300), 0.02)
    assert np.ptp(found.field) == pytest.approx(1.0, abs=0.02)


def test_any_depth_map_becomes_gentle():
    for depth in (near_disc(Extent(3000, 2000)), near_disc(Extent(16, 9)), np.zeros((1, 1))):
        found = gentle(np.asarray(depth, np.float32) * 5000)
        assert max(found.shape) <= SIDE
        assert found.min() >= 0
        assert found.max() <= 1
    broken = near_disc()
    broken[:50] = np.nan
    assert np.isfinite(gentle(broken)).all()


def test_the_guess_takes_what_is_low_and_stands_out_for_near():
    picture = np.full((400, 600, 3), (120, 160, 220), np.uint8)
    picture[200:] = (110, 130, 90)
    picture[120:330, 240:360] = (200, 30, 30)
    depth = depth_prior(picture)
    assert depth is not None
    height, width = depth.shape
    assert depth[int(0.95 * height)].mean() > depth[int(0.05 * height)].mean() + 0.3
    assert depth[int(0.4 * height), width // 2] > depth[int(0.4 * height), width // 10] + 0.1


def test_the_guess_is_the_same_each_time(leaves: Picture):
    first, second = depth_prior(leaves), depth_prior(leaves)
    assert first is not None
    assert second is not None
    assert np.array_equal(first, second)


@pytest.mark.parametrize("size", [(1, 1, 3), (1, 900, 3), (3000, 2, 3)])
def test_the_guess_takes_any_size(size: tuple[int, int, int]):
    depth = depth_prior(np.full(size, 90, np.uint8))
    assert depth is not None
    assert np.isfinite(depth).all()


def _centre(values: np.ndarray) -> float:
    """Return where, across, the bright disc lies."""
    weight = np.maximum(values.astype(float) - 60, 0)
    return float((weight.sum(axis=0) * np.arange(values.shape[1])).sum() / weight.sum())


@pytest.mark.parametrize("name", ["opencv", "pillow"])
def test_near_things_move_against_far_ones(name: str):
    """Truck to the right: the near disc drifts left, further than the far marks do."""
    far = np.zeros((600, 900, 3), np.uint8)
    far[:, 440:460] = 255
    y, x = np.mgrid[:600, :900]
    near = np.zeros((600, 900, 3), np.uint8)
    near[np.hypot(x - 450, y - 300) < 100] = 255
    tools = CvResampler() if name == "opencv" else PillowResampler(turning=True)

    def drift(picture: Picture, rows: slice) -> float:
        clip = clip_of(picture, "truck_right", near_disc(), strength=2.0)
        frames = [plane_values(frame)[0] for frame in yuv_frames(clip, tools)]
        return _centre(frames[-1][rows]) - _centre(frames[0][rows])

    assert drift(near, slice(60, 120)) < drift(far, slice(0, 12)) - 2


def test_dolly_swells_near_things_more():
    picture = np.zeros((600, 900, 3), np.uint8)
    y, x = np.mgrid[:600, :900]
    picture[np.hypot(x - 450, y - 300) < 100] = 255

    def growth(depth: Depth) -> float:
        clip = clip_of(picture, "dolly_in", depth, strength=2.0)
        areas = [(plane_values(frame)[0] > 128).mean() for frame in yuv_frames(clip)]
        return areas[-1] / areas[0]

    assert growth(near_disc()) > growth(np.zeros((60, 90), np.float32)) * 1.01


def test_flat_depth_changes_nothing(leaves: Picture):
    clip = clip_of(leaves, "orbit_left", np.full((60, 90), 0.5, np.float32))
    flat = replace(clip, depth=None)
    for bent, plain in zip(yuv_frames(clip), yuv_frames(flat), strict=True):
        for a, b in zip(plane_values(bent), plane_values(plain), strict=True):
            assert np.abs(a.astype(int) - b).max() <= 4
            assert np.abs(a.astype(int) - b).mean() < 0.2


def test_moves_without_parallax_take_no_depth(leaves: Picture):
    assert clip_of(leaves, "zoom_in", near_disc()).depth is None
    assert clip_of(leaves, "orbit_left", None).depth is not None


def test_points_move_by_their_relief():
    view = View(450, 300, 800, 450, 0.0, 0.02, 0.0, 0.1)
    bend = Bend(relief(gentle(near_disc()), SOURCE, 0.01), view, FRAME)
    x, y = np.array([[0.0, 160.0, 320.0]], np.float32), np.array([[90.0]], np.float32)
    u, v = bend.moved(np.full((1, 3), 0.5, np.float32), x, y)
    assert u.tolist() == [pytest.approx([3.2 + 8, 160 + 3.2, 320 + 3.2 - 8], abs=1e-3)]
    assert v.tolist() == [pytest.approx([90, 90, 90])]
