from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from official_graphs import FOLDER
from promptreel.families import FAMILIES, KEYFRAMES, Model
from promptreel.families import models as models_module
from promptreel.families.models import model_files
from promptreel.families.values import ModelFile

FOLDERS = {"diffusion_models", "checkpoints", "text_encoders", "vae", "clip_vision", "loras"}
ROWS = pytest.mark.parametrize("file", model_files().values(), ids=lambda file: file.name)
MODELS: dict[str, Model] = {**FAMILIES, **KEYFRAMES}


@ROWS
def test_a_row_is_whole(file: ModelFile):
    assert file.folder in FOLDERS
    assert file.name.endswith(".safetensors")
    assert file.bytes is None or 10**8 < file.bytes < 10**11
    assert file.licence is None or file.licence.strip() == file.licence != ""


@ROWS
def test_a_source_is_the_file_itself(file: ModelFile):
    assert file.source is not None
    owner = r"https://huggingface\.co/[\w.-]+/[\w.-]+/resolve/main/"
    assert re.fullmatch(rf"{owner}([\w.-]+/)*{re.escape(file.name)}", file.source)


@ROWS
def test_a_row_is_used(file: ModelFile):
    assert any(file in slot.official for model in MODELS.values() for slot in model.slots)


def test_no_name_stands_twice():
    path = Path(models_module.__file__).with_name("data") / "models.json"
    rows = json.loads(path.read_text(encoding="utf-8"))["models"]
    assert len({row["name"] for row in rows}) == len(rows)


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
def test_a_slot_has_files_of_one_folder(model: Model):
    for slot in model.slots:
        assert slot.official
        assert {file.folder for file in slot.official} == {slot.folder}


def test_a_pair_of_experts_is_offered_in_one_order():
    high, low = (
        [file.name.replace("high_noise", "low_noise") for file in slot.official]
        for slot in FAMILIES["wan2.2-i2v-14b"].slots[:2]
    )
    assert high == low


def test_every_file_of_the_official_graphs_is_known():
    text = "".join(path.read_text(encoding="utf-8") for path in FOLDER.glob("*.json"))
    names = set(re.findall(r'"([\w.-]+\.safetensors)"', text))
    assert names
    assert names <= set(model_files())


def test_ids_and_nodes_are_unique():
    assert len(MODELS) == len(FAMILIES) + len(KEYFRAMES)
    assert all(model.id == key for key, model in MODELS.items())
    assert len({model.node_id for model in MODELS.values()}) == len(MODELS)
    assert len({model.title for model in MODELS.values()}) == len(MODELS)
