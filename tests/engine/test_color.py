from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image, ImageCms
from promptreel.engine.color import to_rgb

from tests.pictures import picture, saved, swapped_profile


def opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data))


def gray(values: np.ndarray) -> np.ndarray:
    return np.asarray(to_rgb(Image.fromarray(values)))[..., 0]


def test_a_profile_is_followed():
    """On a screen with red and blue exchanged, stored red is seen as blue."""
    red = Image.new("RGB", (4, 4), (255, 0, 0))
    seen = np.asarray(to_rgb(opened(saved(red, "PNG", icc_profile=swapped_profile()))))[0, 0]
    assert seen[2] > 250
    assert seen[:2].max() < 12


@pytest.mark.parametrize("mode", ["RGBA", "P"])
def test_a_profile_is_followed_in_other_modes(mode: str):
    red = Image.new("RGB", (4, 4), (255, 0, 0)).convert(mode)
    seen = np.asarray(to_rgb(opened(saved(red, "PNG", icc_profile=swapped_profile()))))[0, 0]
    assert seen[2] > 250


@pytest.mark.parametrize("profile", [b"", b"junk", swapped_profile()[:200]])
def test_a_broken_profile_is_ignored(profile: bytes):
    image = picture()
    image.info["icc_profile"] = profile
    assert (np.asarray(to_rgb(image)) == np.asarray(picture())).all()


def test_an_srgb_profile_changes_nothing():
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    assert to_rgb(opened(saved(picture(), "PNG", icc_profile=profile))).tobytes() == (
        picture().tobytes()
    )


def test_a_profile_of_another_kind_of_picture_is_ignored():
    image = opened(saved(picture(mode="L"), "PNG", icc_profile=swapped_profile()))
    assert (np.asarray(to_rgb(image))[..., 0] == np.asarray(picture(mode="L"))).all()


def test_half_transparent_lies_half_over_white():
    image = Image.new("RGBA", (2, 2), (0, 100, 200, 128))
    assert np.abs(np.asarray(to_rgb(image))[0, 0].astype(int) - (127, 177, 227)).max() <= 1


@pytest.mark.parametrize("mode", ["LA", "PA", "RGBa"])
def test_every_mode_with_alpha_becomes_rgb(mode: str):
    clear = Image.new("RGBA", (3, 2), (60, 60, 60, 0)).convert(mode)
    assert (np.asarray(to_rgb(clear)) == 255).all()


def test_deep_gray_is_scaled_not_cut():
    assert gray(np.array([[0, 60000, 65535]], np.uint16)).tolist() == [[0, 233, 255]]
    assert gray(np.array([[0, 32896, 65535, 99999, -5]], np.int32)).tolist() == [
        [0, 128, 255, 255, 0]
    ]
    assert gray(np.array([[0, 128, 255]], np.int32)).tolist() == [[0, 128, 255]]


def test_float_gray_is_taken_as_0_to_1_or_0_to_255():
    assert gray(np.array([[0, 0.5, 1]], np.float32)).tolist() == [[0, 128, 255]]
    assert gray(np.array([[0, 128, 255, 400]], np.float32)).tolist() == [[0, 128, 255, 255]]
    assert gray(np.array([[-1, np.nan, 1]], np.float32)).tolist() == [[0, 0, 255]]


def test_bilevel_is_black_and_white():
    assert gray(np.array([[True, False]])).tolist() == [[255, 0]]
