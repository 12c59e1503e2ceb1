from __future__ import annotations

from fractions import Fraction

import pytest
from promptreel.engine import limits
from promptreel.engine.errors import ParameterError
from promptreel.engine.framing import ASPECTS, RESOLUTIONS, frame_extent
from promptreel.engine.values import Extent


@pytest.mark.parametrize(
    ("source", "aspect", "resolution", "expected"),
    [
        (Extent(3000, 2000), "source", "720p", Extent(1080, 720)),
        (Extent(2000, 3000), "source", "720p", Extent(720, 1080)),
        (Extent(3000, 2000), "16:9", "720p", Extent(1280, 720)),
        (Extent(3000, 2000), "9:16", "1080p", Extent(1080, 1920)),
        (Extent(3000, 2000), "1:1", "480p", Extent(480, 480)),
        (Extent(1, 1), "source", "480p", Extent(480, 480)),
        (Extent(30000, 10), "source", "480p", Extent(1440, 480)),
        (Extent(10, 30000), "source", "480p", Extent(480, 1440)),
    ],
)
def test_frame_extent(source: Extent, aspect: str, resolution: str, expected: Extent):
    assert frame_extent(source, aspect, resolution) == expected


@pytest.mark.parametrize("aspect", ASPECTS)
@pytest.mark.parametrize("resolution", RESOLUTIONS)
def test_every_choice_can_be_encoded(aspect: str, resolution: str):
    for source in (Extent(1, 1), Extent(30000, 10), Extent(1234, 777)):
        limits.check_extent(frame_extent(source, aspect, resolution))


def test_unknown_names_are_told_with_the_known_ones():
    with pytest.raises(ParameterError, match="Unknown aspect '2:1': use one of source, 16:9"):
        frame_extent(Extent(4, 4), "2:1", "720p")
    with pytest.raises(ParameterError, match="Unknown resolution '4k': use one of 480p"):
        frame_extent(Extent(4, 4), "1:1", "4k")


def test_rates_are_exact():
    assert limits.check_fps(24) == Fraction(24)
    assert limits.check_fps(29.97) == Fraction(30000, 1001)
    assert limits.check_fps(23.976) == Fraction(24000, 1001)
    assert limits.check_fps(12.5) == Fraction(25, 2)
    assert [limits.check_fps(float(fps)) for fps in range(1, 61)] == [*range(1, 61)]
    assert limits.check_fps(Fraction(2997, 100)) == Fraction(2997, 100)  # said exactly: kept


@pytest.mark.parametrize("fps", [0, -1, 61, float("nan"), float("inf")])
def test_wrong_rates_are_refused(fps: float):
    with pytest.raises(ParameterError, match="must be 1 to 60 fps"):
        limits.check_fps(fps)


@pytest.mark.parametrize("seconds", [0, 0.4, 61, float("nan")])
def test_wrong_lengths_are_refused(seconds: float):
    with pytest.raises(ParameterError, match=r"must be 0\.5 to 60 seconds"):
        limits.check_seconds(seconds)


@pytest.mark.parametrize("seconds", [0.5, 7, 60])
def test_allowed_lengths_are_kept(seconds: float):
    assert limits.check_seconds(seconds) == limits.clamp_seconds(seconds) == seconds


def test_clamped_lengths_are_allowed():
    assert limits.clamp_seconds(0.01) == limits.check_seconds(limits.MIN_SECONDS)
    assert limits.clamp_seconds(1e9) == limits.check_seconds(limits.MAX_SECONDS)


@pytest.mark.parametrize("extent", [Extent(16, 16), Extent(4096, 4096), Extent(1280, 720)])
def test_allowed_sizes_are_kept(extent: Extent):
    assert limits.check_extent(extent) is extent


@pytest.mark.parametrize(
    "extent", [Extent(0, 0), Extent(14, 16), Extent(16, 17), Extent(17, 16), Extent(16, 4098)]
)
def test_wrong_sizes_are_refused(extent: Extent):
    with pytest.raises(ParameterError, match=f"even and 16 to 4096 pixels, not {extent}"):
        limits.check_extent(extent)
