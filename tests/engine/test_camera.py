import math
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from promptreel.engine.camera import CameraPath, camera_path
from promptreel.engine.errors import SceneError
from promptreel.engine.framing import ASPECTS, frame_extent
from promptreel.engine.lexicon import vocabulary
from promptreel.engine.moves import MOVES
from promptreel.engine.values import CameraMove, Extent, Shot
from promptreel.engine.view import View

KINDS = tuple(vocabulary("moves"))
WIDE = Extent(1280, 720)
MOST_JOLT = 8e-4  # of the whole way, in a step of 1/600 of the clip
SOURCE = Extent(3000, 2000)
TIMES = [i / 60 for i in range(61)]

moves = st.builds(CameraMove, st.sampled_from(KINDS), st.floats(0.2, 3.0))
shots = st.builds(
    Shot,
    st.lists(moves, max_size=3).map(tuple),
    st.none() | st.floats(0.1, 20.0),
)
extents = st.builds(Extent, st.integers(1, 5000), st.integers(1, 5000)) | st.sampled_from(
    [Extent(1, 1), Extent(30000, 10), Extent(10, 30000), Extent(1, 4096)]
)


def shot(*kinds: str, strength: float = 1.0, seconds: float | None = None) -> Shot:
    return Shot(tuple(CameraMove(kind, strength) for kind in kinds), seconds)


def path(*shots: Shot, source: Extent = SOURCE, frame: Extent = WIDE, **more) -> CameraPath:
    return camera_path(shots, source, frame, more.get("seconds", 5.0), more.get("seed", 0))


def numbers(view: View) -> tuple[float, ...]:
    return view.x, view.y, math.log(view.width), view.roll, view.shift_x, view.shift_y, view.push


@settings(max_examples=150, deadline=None)
@given(
    st.lists(shots, max_size=4),
    extents,
    st.sampled_from(ASPECTS),
    st.floats(0.5, 60.0),
    st.integers(0, 2**63),
    st.lists(st.floats(0, 1), min_size=1, max_size=20),
)
def test_a_path_never_shows_what_lies_beside_the_picture(
    sequence: list[Shot],
    source: Extent,
    aspect: str,
    seconds: float,
    seed: int,
    times: list[float],
):
    frame = frame_extent(source, aspect, "720p")
    camera = camera_path(sequence, source, frame, seconds, seed)
    for t in (0.0, 1.0, *times):
        for x, y in camera.at(t).corners(reached=True):
            assert -1e-6 <= x <= source.width + 1e-6
            assert -1e-6 <= y <= source.height + 1e-6


@settings(max_examples=30, deadline=None)
@given(st.lists(shots, min_size=1, max_size=3), st.sampled_from(ASPECTS), st.floats(2.0, 30.0))
def test_a_path_has_no_jolt(sequence: list[Shot], aspect: str, seconds: float):
    """Speed changes gradually: a step's change is far smaller than the move itself."""
    frame = frame_extent(SOURCE, aspect, "720p")
    steady = [Shot(tuple(move for move in s.moves if move.kind != "handheld")) for s in sequence]
    camera = camera_path(steady, SOURCE, frame, seconds)
    count = 600
    rows = [numbers(camera.at(i / count)) for i in range(count + 1)]
    for column in zip(*rows, strict=True):
        speeds = [b - a for a, b in pairwise(column)]
        jolt = max(abs(b - a) for a, b in pairwise(speeds))
        assert jolt <= MOST_JOLT * (max(column) - min(column)) + 1e-9


@pytest.mark.parametrize("kind", KINDS)
def test_every_move_moves_visibly(kind: str):
    camera = path(shot(kind))
    first = camera.at(0.0)
    far = max(TIMES, key=lambda t: _travel(first, camera.at(t)))
    assert _travel(first, camera.at(far)) > (0.004 if kind == "handheld" else 0.08)


def _travel(a: View, b: View) -> float:
    """Return how far the corner that moves most goes, in frame widths."""
    pairs = zip(a.corners(), b.corners(), strict=True)
    return max(math.dist(p, q) for p, q in pairs) / max(a.width, b.width)


@pytest.mark.parametrize(
    ("kind", "sees"),
    [
        ("zoom_in", lambda a, b: b.width < a.width),
        ("zoom_out", lambda a, b: b.width > a.width),
        ("dolly_in", lambda a, b: b.width < a.width and b.push > a.push),
        ("dolly_out", lambda a, b: b.width > a.width and b.push < a.push),
        ("pan_left", lambda a, b: b.x < a.x),
        ("pan_right", lambda a, b: b.x > a.x),
        ("tilt_up", lambda a, b: b.y < a.y),
        ("tilt_down", lambda a, b: b.y > a.y),
        ("truck_left", lambda a, b: b.x < a.x and b.shift_x < a.shift_x),
        ("truck_right", lambda a, b: b.x > a.x and b.shift_x > a.shift_x),
        ("pedestal_up", lambda a, b: b.y < a.y and b.shift_y < a.shift_y),
        ("pedestal_down", lambda a, b: b.y > a.y and b.shift_y > a.shift_y),
        ("roll_cw", lambda a, b: b.roll > a.roll),
        ("roll_ccw", lambda a, b: b.roll < a.roll),
        ("orbit_left", lambda a, b: b.shift_x < a.shift_x),
        ("orbit_right", lambda a, b: b.shift_x > a.shift_x),
        ("dolly_zoom", lambda a, b: b.width < a.width and b.push < a.push),
    ],
)
def test_every_move_goes_its_own_way(kind: str, sees):
    camera = path(shot(kind))
    assert sees(camera.at(0.0), camera.at(1.0))


def test_every_row_of_the_vocabulary_has_its_function():
    assert {row["axis"] for row in vocabulary("moves").values()} == set(MOVES)


def test_an_unknown_move_is_one_sentence():
    with pytest.raises(SceneError, match="Unknown camera move 'teleport': use one of zoom_in"):
        path(shot("teleport"))


def test_zoom_speed_is_constant_as_it_is_perceived():
    camera = path(shot("zoom_in"))
    widths = [camera.at(t).width for t in (0.35, 0.45, 0.55, 0.65)]
    ratios = [b / a for a, b in pairwise(widths)]
    assert ratios == pytest.approx([ratios[0]] * 3, rel=1e-9)


def test_no_moves_stand_still():
    for camera in (path(), path(shot())):
        assert len({camera.at(t) for t in TIMES}) == 1
        assert camera.at(0).width == pytest.approx(3000)


def test_strength_multiplies_the_distance():
    def zoom(strength: float) -> float:
        camera = path(shot("zoom_in", strength=strength))
        return math.log(camera.at(0).width / camera.at(1).width)

    assert zoom(0.5) == pytest.approx(zoom(1.0) / 2)
    assert zoom(2.0) == pytest.approx(zoom(1.0) * 2)


def test_shots_follow_one_another():
    camera = path(shot("dolly_in"), shot("pan_left"), seconds=6.0)
    start, middle, end = (camera.at(t) for t in (0.0, 0.5, 1.0))
    assert middle.width < start.width * 0.85
    assert abs(middle.x - start.x) < 0.2 * abs(end.x - start.x)
    assert end.x < middle.x - 0.1 * middle.width
    assert end.width == pytest.approx(middle.width, rel=0.03)


def test_a_shots_own_length_is_kept_and_the_others_share_the_rest():
    camera = path(shot("pan_right", seconds=1.0), shot(), seconds=5.0)
    assert camera.at(0.35) == camera.at(1.0)
    assert camera.at(0.12) != camera.at(1.0)


def test_moves_of_one_shot_happen_together():
    camera = path(shot("zoom_in", "pan_right", "roll_cw"))
    first, last = camera.at(0.0), camera.at(1.0)
    assert last.width < first.width
    assert last.x > first.x
    assert last.roll > first.roll


def test_a_pan_crosses_a_panorama():
    panorama = path(shot("pan_right"), source=Extent(3600, 1200))
    plain = path(shot("pan_right"))
    across = panorama.at(1.0).x - panorama.at(0.0).x
    assert panorama.at(0.0).height == pytest.approx(1200)
    usual = plain.at(1.0).x - plain.at(0.0).x
    assert across / panorama.at(0.0).width > 2 * usual / plain.at(0.0).width
    assert panorama.at(1.0).corners()[1][0] == pytest.approx(3600)


def test_a_tall_picture_in_a_wide_frame_is_seen_above_its_middle():
    view = path(source=Extent(1000, 1500)).at(0.0)
    assert view.y < 700
    assert view.y - view.height / 2 > 50


def test_handheld_is_seeded():
    one, same, other = (path(shot("handheld"), seed=seed) for seed in (1, 1, 2))
    assert [one.at(t) for t in TIMES] == [same.at(t) for t in TIMES]
    assert one.at(0.5) != other.at(0.5)


def test_handheld_sways_and_does_not_jitter():
    camera = path(shot("handheld"))
    for column in zip(*(numbers(camera.at(i / 1200)) for i in range(1201)), strict=True):
        speeds = [b - a for a, b in pairwise(column)]
        jitter = max(abs(b - a) for a, b in pairwise(speeds))
        assert jitter <= 2e-3 * (max(column) - min(column)) + 1e-9


def test_a_path_is_a_pure_function():
    camera = path(shot("handheld", "zoom_in"), shot("orbit_left"))
    there = [camera(t) for t in TIMES]
    back = [camera(t) for t in reversed(TIMES)]
    assert there == back[::-1]
    assert camera.at(-3.0) == camera.at(0.0)
    assert camera.at(7.0) == camera.at(1.0)


def test_extreme_strengths_stay_tasteful():
    camera = path(*[shot("zoom_in", "roll_cw", "pan_left", strength=3.0)] * 4, seconds=60.0)
    views = [camera.at(t) for t in TIMES]
    assert max(v.width for v in views) / min(v.width for v in views) <= 3.0 + 1e-9
    assert max(abs(v.roll) for v in views) <= math.radians(25) + 1e-9
