from __future__ import annotations

import numpy as np
import pytest
from promptreel.engine import look_words
from promptreel.engine.errors import ParameterError
from promptreel.engine.look import GROUPS, LOOKS, Grade, grade, grades

from tests.pictures import picture

LUMA = np.array([0.2126, 0.7152, 0.0722])


@pytest.fixture(scope="module")
def scene() -> np.ndarray:
    """Smooth colours with a dark and a bright part."""
    source = np.array(picture(240, 160))
    source[:40, :60] = 12
    source[-40:, -60:] = 245
    return source


def luma(pixels: np.ndarray) -> np.ndarray:
    return pixels @ LUMA


def warmth(pixels: np.ndarray) -> float:
    return float(pixels[..., 0].mean() - pixels[..., 2].mean())


def chroma(pixels: np.ndarray) -> float:
    return float(np.ptp(pixels.astype(int), axis=-1).mean())


def test_every_look_has_words_and_a_grade_that_does_something():
    assert set(LOOKS) == set(look_words.looks())
    assert all(made != Grade() for made in grades().values())


@pytest.mark.parametrize("look", LOOKS)
def test_every_look_changes_the_picture_the_same_way_each_time(scene: np.ndarray, look: str):
    before = scene.copy()
    after = grade(scene, [look])
    assert (scene == before).all()
    assert (after.shape, after.dtype) == (scene.shape, np.uint8)
    assert np.abs(after.astype(int) - scene).mean() > 2
    assert (grade(scene, [look]) == after).all()


@pytest.mark.parametrize("look", LOOKS)
def test_every_look_takes_one_pixel_and_thin_pictures(look: str):
    for shape in ((1, 1, 3), (1, 700, 3), (700, 2, 3)):
        assert grade(np.full(shape, 128, np.uint8), [look]).shape == shape


def test_the_order_of_the_words_does_not_matter(scene: np.ndarray):
    assert {row["group"] for row in look_words.looks().values()} == set(GROUPS)
    assert (grade(scene, ["night", "fog"]) == grade(scene, ["fog", "night"])).all()
    assert luma(grade(scene, ["night", "fog"])).mean() < 0.7 * luma(scene).mean()
    assert chroma(grade(scene, ["black_and_white", "sunset"])) < 1


def test_no_look_is_the_picture_itself(scene: np.ndarray):
    assert grade(scene, []) is scene


def test_looks_do_what_their_names_say(scene: np.ndarray):
    plain = luma(scene)
    assert chroma(grade(scene, ["black_and_white"])) == 0
    assert chroma(grade(scene, ["noir"])) == 0
    night = grade(scene, ["night"])
    assert luma(night).mean() < 0.6 * plain.mean()
    assert warmth(night) < warmth(scene)
    assert warmth(grade(scene, ["sunset"])) > warmth(scene) + 10
    assert warmth(grade(scene, ["warm"])) > warmth(scene) > warmth(grade(scene, ["cold"]))
    assert luma(grade(scene, ["fog"])).std() < 0.7 * plain.std()
    middle = (slice(60, 100), slice(90, 150))  # where the vignette does nothing yet
    dramatic = grade(scene, ["dramatic"])
    assert luma(dramatic[middle]).std() > 1.1 * luma(scene[middle]).std()
    assert luma(dramatic[-4:, -4:]).mean() < 0.7 * luma(scene[-4:, -4:]).mean()
    assert chroma(grade(scene, ["vivid"])) > chroma(scene) > chroma(grade(scene, ["faded"]))


def test_looks_combine_in_order(scene: np.ndarray):
    both = grade(scene, ["sunset", "black_and_white"])
    assert chroma(both) == 0
    assert (both == grade(grade(scene, ["sunset"]), ["black_and_white"])).all()


def test_an_unknown_look_lists_the_known_ones(scene: np.ndarray):
    with pytest.raises(ParameterError, match="Unknown look 'purple': use one of night, moonlight"):
        grade(scene, ["purple"])


def lamp_in_the_dark() -> np.ndarray:
    source = np.full((200, 300, 3), 60, np.uint8)
    source[90:110, 140:160] = (255, 230, 180)
    return source


def test_lamps_stay_lit_at_night_and_glow_while_a_bright_sky_goes_dark():
    lamp = grade(lamp_in_the_dark(), ["night"]).astype(int)
    assert lamp[100, 150].min() > 130
    assert lamp[100, 150, 0] > lamp[100, 150, 2]  # still warm
    assert luma(lamp[80, 150]) > luma(lamp[20, 150]) + 5  # the glow around it
    sky = grade(np.full((200, 300, 3), 240, np.uint8), ["night"])
    assert luma(sky).max() < 170


def test_fog_is_thicker_far_away_and_hides_contrast(scene: np.ndarray):
    fog = luma(grade(np.full((200, 300, 3), 30, np.uint8), ["fog"])).mean(axis=1)
    assert fog[0] > fog[-1] + 20
    assert (np.diff(fog) <= 1).all()


def test_neon_splits_shadows_to_blue_and_lights_to_magenta():
    ramp = np.repeat(np.linspace(0, 255, 300).astype(np.uint8)[None, :, None], 200, axis=0)
    neon = grade(np.repeat(ramp, 3, axis=2), ["neon"])[100].astype(int)
    assert neon[20, 2] > neon[20, 1] > neon[20, 0]
    assert min(neon[250, 0], neon[250, 2]) > neon[250, 1]


def test_grain_is_only_as_strong_as_asked_and_has_no_color():
    flat = np.full((300, 300, 3), 128, np.uint8)
    noir = grade(flat, ["noir"])[120:180, 120:180].astype(int)
    assert 1 < noir[..., 0].std() < 8
    assert (noir[..., 0] == noir[..., 1]).all()


@pytest.mark.parametrize("look", LOOKS)
def test_a_grey_ramp_stays_a_ramp(look: str):
    """No look may turn tones upside down or tear them apart into bands."""
    ramp = np.linspace(0, 255, 256).astype(np.uint8)
    source = np.repeat(np.repeat(ramp[None, :, None], 64, axis=0), 3, axis=2)
    tones = luma(grade(source, [look])).mean(axis=0)[40:216].reshape(-1, 8).mean(axis=1)
    assert -3 < np.diff(tones).min() <= np.diff(tones).max() < 30
