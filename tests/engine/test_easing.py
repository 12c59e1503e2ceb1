import pytest
from hypothesis import given
from hypothesis import strategies as st
from promptreel.engine.easing import Ease

EASE = Ease(0.2, 0.8, 0.1, 0.3)


def test_an_ease_goes_all_the_way_once():
    assert EASE.progress(0.2) == 0.0
    assert EASE.progress(0.8) == 1.0
    assert EASE.progress(-1) == 0.0
    assert EASE.progress(2) == 1.0


@given(st.floats(0, 1), st.floats(0, 1))
def test_progress_never_goes_back(a: float, b: float):
    low, high = sorted((a, b))
    assert EASE.progress(low) <= EASE.progress(high) + 1e-12


@given(st.floats(0.205, 0.795))
def test_progress_is_the_integral_of_weight(t: float):
    h = 1e-4
    slope = (EASE.progress(t + h) - EASE.progress(t - h)) / (2 * h)
    area = 0.8 - 0.2 - (0.1 + 0.3) / 2
    assert slope == pytest.approx(EASE.weight(t) / area, abs=1e-3)


def test_speed_is_constant_between_the_ramps():
    assert {EASE.weight(t) for t in (0.31, 0.4, 0.49)} == {1.0}


@given(st.floats(0.4, 0.6))
def test_two_eases_that_overlap_hand_over_without_a_jolt(t: float):
    first, second = Ease(0, 0.6, 0.2, 0.2), Ease(0.4, 1, 0.2, 0.2)
    assert first.weight(t) + second.weight(t) == pytest.approx(1.0)
