from __future__ import annotations

import contextlib
from pathlib import Path

import numpy as np
import pytest
from promptreel.engine import limits
from promptreel.engine.errors import PictureError
from promptreel.engine.picture import load_picture, sniff
from promptreel.engine.values import Extent

from tests.pictures import Sample, bomb, picture, readable, rotated, saved, unreadable


def named(name: str) -> bytes:
    return next(sample.data for sample in readable() if sample.name == name)


@pytest.mark.parametrize("sample", readable(), ids=repr)
def test_every_readable_kind_becomes_plain_rgb(sample: Sample):
    pixels = load_picture(sample.data)
    assert pixels.dtype == np.uint8
    assert pixels.ndim == 3
    assert pixels.shape[2] == 3
    assert pixels.flags.c_contiguous
    assert pixels.flags.writeable


@pytest.mark.parametrize("sample", unreadable(), ids=repr)
def test_everything_else_is_refused_with_a_sentence(sample: Sample):
    with pytest.raises(PictureError) as caught:
        load_picture(sample.data)
    sentence = str(caught.value)
    assert sentence.endswith((".", "?"))
    assert ":" in sentence
    assert "Traceback" not in sentence
    assert "\n" not in sentence


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_undone(orientation: int):
    """The corner that is brightest in red and darkest in green must move as EXIF 2.3 says."""
    pixels = load_picture(rotated(orientation)).astype(int)
    expected = Extent(96, 64) if orientation < 5 else Extent(64, 96)
    assert Extent.of(pixels) == expected
    red = pixels[..., 0] - pixels[..., 1]
    row, column = np.unravel_index(red.argmax(), red.shape)
    at_top, at_left = row < expected.height / 2, column < expected.width / 2
    # Stored: bright red at the top right. Where it goes for each orientation:
    wanted = {
        1: (True, False),
        2: (True, True),
        3: (False, True),
        4: (False, False),
        5: (False, True),
        6: (False, False),
        7: (True, False),
        8: (True, True),
    }
    assert (at_top, at_left) == wanted[orientation]


def test_transparency_lies_over_white():
    image = picture(mode="RGBA")
    image.putalpha(0)
    assert (load_picture(saved(image, "PNG")) == 255).all()


@pytest.mark.parametrize("name", ["gray16.png", "gray16.tiff"])
def test_sixteen_bits_keep_their_range(name: str):
    pixels = load_picture(named(name))
    assert pixels.min() == 0
    assert pixels.max() == 255
    assert 120 < pixels[32, 48, 0] < 136


@pytest.mark.parametrize("name", ["animated.gif", "animated.webp", "animated.png"])
def test_the_first_frame_of_an_animation_is_used(name: str):
    assert tuple(load_picture(named(name))[0, 0]) == (255, 0, 0)


@pytest.mark.parametrize("name", ["turned.png", "turned.webp", "turned.tiff"])
def test_other_kinds_than_jpeg_are_turned_once_too(name: str):
    pixels = load_picture(named(name))
    assert (pixels == np.rot90(load_picture(named("plain.png")), -1)).all()


def test_a_color_key_is_transparent():
    pixels = load_picture(named("color-key.png"))
    assert tuple(pixels[0, 0]) == (255, 255, 255)
    assert tuple(pixels[0, -1]) == (255, 0, 64)


@pytest.mark.parametrize(
    "name", ["cmyk.jpg", "cmyk.tiff", "palette.png", "plain.webp", "plain.jpg"]
)
def test_colors_survive(name: str):
    pixels, plain = load_picture(named(name)).astype(int), load_picture(named("plain.png"))
    assert np.abs(pixels - plain).mean() < 16
    assert pixels[0, -1, 0] > 150 > 100 > pixels[0, -1, 1]


def test_a_bomb_is_refused_before_its_pixels_are_decoded():
    with pytest.raises(PictureError, match=r"10000x10001.*64 megapixels"):
        load_picture(bomb(10000, 10001))
    with pytest.raises(PictureError, match="too large"):
        load_picture(saved(picture(20, 20), "PNG"), max_pixels=399)


def test_a_path_is_read_and_a_missing_one_is_told_without_its_folder(tmp_path: Path):
    path = tmp_path / "снимок.png"
    path.write_bytes(saved(picture(), "PNG"))
    assert Extent.of(load_picture(path)) == Extent(96, 64)
    with pytest.raises(PictureError) as caught:
        load_picture(tmp_path / "nowhere.png")
    assert "nowhere.png" in str(caught.value)
    assert str(tmp_path) not in str(caught.value)


def test_random_damage_is_always_a_picture_error():
    """Bytes changed or cut off anywhere: a picture or one sentence, nothing else."""
    chance = np.random.default_rng(7)
    small = [sample.data for sample in readable() if 20 < len(sample.data) < 5000]
    for _ in range(400):
        data = bytearray(small[chance.integers(len(small))])
        for at in chance.integers(4, len(data), chance.integers(1, 5)):
            data[at] = chance.integers(256)
        cut = chance.integers(16, len(data)) if chance.random() < 0.3 else len(data)
        with contextlib.suppress(PictureError):
            assert load_picture(bytes(data[:cut])).ndim == 3


def test_a_huge_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("promptreel.engine.picture.MAX_PICTURE_BYTES", 100)
    with pytest.raises(PictureError, match="file is too large"):
        load_picture(saved(picture(), "PNG"))
    assert limits.MAX_PICTURE_BYTES > 100


def test_sniff_goes_by_the_bytes():
    assert [sniff(sample.data[:16]) for sample in readable()[:6]] == [
        "png",
        "jpeg",
        "gif",
        "webp",
        "bmp",
        "tiff",
    ]
    assert sniff(b"%PDF-1.7") is None
    assert sniff(b"") is None
