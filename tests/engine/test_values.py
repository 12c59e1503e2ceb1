from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
from promptreel.engine.values import Extent, Scene


def test_an_extent_says_its_size():
    extent = Extent(1920, 1080)
    assert (str(extent), extent.pixels) == ("1920x1080", 2_073_600)
    assert extent.aspect == pytest.approx(16 / 9)


def test_an_array_is_as_wide_as_its_rows_are_long():
    assert Extent.of(np.zeros((2, 5, 3), np.uint8)) == Extent(5, 2)
    assert Extent.of(np.zeros((2, 5), np.float32)) == Extent(5, 2)


def test_values_cannot_be_changed():
    extent: Any = Extent(1, 2)
    with pytest.raises(dataclasses.FrozenInstanceError):
        extent.width = 3
    assert hash(Scene("a", "a")) == hash(Scene("a", "a"))
