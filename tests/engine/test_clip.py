from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from promptreel.engine.clip import compose
from promptreel.engine.errors import ParameterError
from promptreel.engine.limits import DEFAULT_SECONDS, MAX_SECONDS
from promptreel.engine.values import CameraMove, Extent, Scene, Shot

PICTURE = np.zeros((60, 90, 3), np.uint8)
SCENE = Scene("", "", shots=(Shot((CameraMove("zoom_in"),)),))
SMALL = Extent(96, 64)


def test_a_clip_has_the_scenes_length():
    assert compose(PICTURE, SCENE, extent=SMALL).seconds == DEFAULT_SECONDS
    assert compose(PICTURE, Scene("", "", seconds=3.0), extent=SMALL).seconds == 3.0
    assert compose(PICTURE, Scene("", "", seconds=900.0), extent=SMALL).seconds == MAX_SECONDS
    assert compose(PICTURE, Scene("", "", seconds=3.0), extent=SMALL, seconds=2).seconds == 2.0


@pytest.mark.parametrize(
    ("fps", "seconds", "frames"),
    [(24, 5, 120), (29.97, 2, 60), (1, 0.5, 1), (Fraction(24000, 1001), 10, 240), (60, 60, 3600)],
)
def test_frames_are_rate_times_length(fps: float | Fraction, seconds: float, frames: int):
    assert compose(PICTURE, SCENE, extent=SMALL, fps=fps, seconds=seconds).frames == max(frames, 1)


def test_time_runs_from_the_first_frame_to_the_last():
    clip = compose(PICTURE, SCENE, extent=SMALL, fps=10, seconds=1)
    assert [clip.time(0), clip.time(9)] == [0.0, 1.0]
    assert compose(PICTURE, SCENE, extent=SMALL, fps=1, seconds=1).time(0) == 0.0


@pytest.mark.parametrize(
    "wrong", [{"extent": Extent(97, 64)}, {"fps": 0}, {"seconds": 0.1}, {"seconds": float("nan")}]
)
def test_limits_are_checked(wrong: dict):
    with pytest.raises(ParameterError):
        compose(PICTURE, SCENE, **{"extent": SMALL, **wrong})
