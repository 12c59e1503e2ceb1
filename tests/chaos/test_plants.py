"""Each plant still finds the code that it removes: else nobody notices until they are run."""

from __future__ import annotations

import shutil

import pytest

from tests.chaos.plants import ROOT, Plant, _plants, put


@pytest.mark.parametrize("plant", list(_plants()), ids=lambda plant: plant.name)
def test_a_plant_fits_the_code(plant: Plant, tmp_path):
    for name in {plant.path, *(other for other, _, _ in plant.also)}:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    put(plant, tmp_path)
    planted = (tmp_path / plant.path).read_text(encoding="utf-8")
    compile(planted, plant.path, "exec")
