"""Views drawn by resizing: the same pixels as by a warp, wherever a whole pixel is near."""

from __future__ import annotations

import math

import cv2
import numpy as np
import pytest
from promptreel.engine import upright
from promptreel.engine.planes import Plane, Values

WIDTH, HEIGHT = 320, 180
PAN, BAND = 2.13, 3.0  # a level's density and the sigma that band-limits noise for it


@pytest.fixture(scope="module")
def plane() -> Plane[Values]:
    noise = np.random.default_rng(3).integers(0, 256, (600, 1000)).astype(np.uint8)
    soft = cv2.GaussianBlur(noise, (0, 0), BAND)
    wide = cv2.normalize(soft, np.empty_like(soft), 0, 255, cv2.NORM_MINMAX)
    return upright.bordered(Plane(np.asarray(wide, np.uint8), np.eye(3)))


def moved(plane: Plane[Values], scale: float, x: float, y: float) -> np.ndarray:
    return plane.from_source @ np.array([[scale, 0.0, x], [0.0, scale, y], [0.0, 0.0, 1.0]])


def warped(pixels: Values, to_plane: np.ndarray) -> np.ndarray:
    (a, _, c), (_, e, f), _ = to_plane.tolist()
    matrix = np.array([[a, 0, c + a / 2 - 0.5], [0, e, f + e / 2 - 0.5]])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return np.asarray(cv2.warpAffine(pixels, matrix, (WIDTH, HEIGHT), flags=flags), float)


@pytest.mark.parametrize("scale", [PAN, 2.2173, 2.613, 2.89, math.e])
def test_it_draws_what_a_warp_does(plane: Plane[Values], scale: float):
    """Places off by NEAR change a pixel by little; half a pixel off would change it by tens."""
    drawn = 0
    for step in range(20):
        to_plane = moved(plane, scale, 3.7 * step + 0.013 * step**2, 1.1 * step)
        out = np.zeros((HEIGHT, WIDTH), np.uint8)
        if upright.drawn(plane.pixels, to_plane, out):
            off = out.astype(float) - warped(plane.pixels, to_plane)
            assert np.abs(off).max() <= 3
            assert off.std() <= 0.6
            drawn += 1
    assert drawn >= 8


@pytest.mark.parametrize("corner", [(0.0, 0.0), (0.4, 0.3), (1000 - 320 * PAN, 600 - 180 * PAN)])
def test_it_reaches_the_picture_s_corners(plane: Plane[Values], corner: tuple[float, float]):
    to_plane = moved(plane, PAN, *corner)
    out = np.zeros((HEIGHT, WIDTH), np.uint8)
    assert upright.drawn(plane.pixels, to_plane, out)
    assert np.abs(out - warped(plane.pixels, to_plane)).max() <= 3


def test_out_may_be_part_of_a_frame_s_memory(plane: Plane[Values]):
    whole = np.full((HEIGHT, WIDTH + 32), 7, np.uint8)
    assert upright.drawn(plane.pixels, moved(plane, PAN, 9.0, 9.0), whole[:, :WIDTH])
    assert (whole[:, WIDTH:] == 7).all()


@pytest.mark.parametrize(("scale", "offset"), [(2.5, 10.3), (2.0, 10.5), (3.0, 10.2)])
def test_where_no_whole_pixel_is_near_it_draws_nothing(
    plane: Plane[Values], scale: float, offset: float
):
    out = np.full((HEIGHT, WIDTH), 7, np.uint8)
    assert not upright.drawn(plane.pixels, moved(plane, scale, offset, 10.0), out)
    assert (out == 7).all()


def test_a_turned_view_is_left_to_the_warp(plane: Plane[Values]):
    turned = moved(plane, PAN, 9.0, 9.0)
    turned[0, 1], turned[1, 0] = -0.01, 0.01
    assert not upright.drawn(plane.pixels, turned, np.zeros((HEIGHT, WIDTH), np.uint8))
