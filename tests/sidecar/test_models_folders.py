"""Where a ComfyUI keeps its models, compared with what ComfyUI itself would read."""

from __future__ import annotations

import os
import sys

import pytest

from sidecar.models.errors import ModelsError
from sidecar.models.folders import EXTRA, open_folder
from sidecar.models.needs import State, look, part_of
from sidecar.pipelines import ModelFile


@pytest.fixture
def root(tmp_path):
    root = tmp_path / "ComfyUI"
    (root / "models").mkdir(parents=True)
    return root


def put(path, data=b"x"):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


@pytest.mark.parametrize(
    ("folder", "places"),
    [
        ("vae", ["vae"]),
        ("text_encoders", ["text_encoders", "clip"]),
        ("diffusion_models", ["diffusion_models", "unet"]),
    ],
)
def test_new_files_go_into_the_present_name_and_the_older_is_looked_into(root, folder, places):
    comfy = open_folder(str(root))
    assert comfy.places(folder) == tuple(root / "models" / place for place in places)
    assert comfy.destination(folder, "sub/a.pt") == root / "models" / places[0] / "sub" / "a.pt"
    there = put(root / "models" / places[-1] / "a.pt")
    assert comfy.find(folder, "a.pt") == there
    assert comfy.find(folder, "b.pt") is None
    assert comfy.shown(there) == f"models/{places[-1]}/a.pt"


def test_a_folder_that_is_no_comfyui_is_refused_with_the_one_that_is_meant(root):
    with pytest.raises(ModelsError, match=r"is no ComfyUI folder.*Did you mean .*ComfyUI\?"):
        open_folder(str(root.parent))
    with pytest.raises(ModelsError, match="is no ComfyUI folder: name the one that holds"):
        open_folder(str(root / "models"))


EXTRA_TEXT = """
a111:
    base_path: ../webui
    vae: models/VAE
    loras: |
        models/Lora
        models/LyCORIS
    unet: models/unet
nothing:
mine:
    base_path: /data/models
    is_default: true
    vae: vae
bare:
    clip: only/here
"""


def test_the_further_paths_are_those_that_comfyui_reads(root):
    (root / EXTRA).write_text(EXTRA_TEXT, encoding="utf-8")
    comfy = open_folder(str(root))
    webui = root.parent / "webui" / "models"
    assert [str(place) for place in comfy.places("vae")] == [
        "/data/models/vae",
        str(root / "models/vae"),
        str(webui / "VAE"),
    ]
    assert comfy.places("loras")[1:] == (webui / "Lora", webui / "LyCORIS")
    assert comfy.places("diffusion_models")[2:] == (webui / "unet",)
    assert comfy.places("text_encoders")[2:] == (root / "only" / "here",)
    there = put(webui / "LyCORIS" / "a.pt")
    assert comfy.find("loras", "a.pt") == there
    assert comfy.shown(there) == str(there)


@pytest.mark.parametrize("text", ["a: [", "- a", "a: text", "5"])
def test_a_broken_file_of_paths_is_one_sentence(root, text):
    (root / EXTRA).write_text(text, encoding="utf-8")
    with pytest.raises(ModelsError, match=r"extra_model_paths\.yaml can't be read"):
        open_folder(str(root))


def test_an_empty_file_of_paths_changes_nothing(root):
    (root / EXTRA).write_text("# a: b\n", encoding="utf-8")
    assert open_folder(str(root)).places("vae") == (root / "models" / "vae",)


def test_without_the_library_it_says_what_was_not_looked_at(root, monkeypatch):
    (root / EXTRA).write_text(EXTRA_TEXT, encoding="utf-8")
    monkeypatch.setitem(sys.modules, "yaml", None)
    comfy = open_folder(str(root))
    assert comfy.note == (
        "extra_model_paths.yaml is not looked at: pip install huggingface_hub brings its reader."
    )
    assert comfy.places("vae") == (root / "models" / "vae",)


@pytest.mark.parametrize(
    ("count", "told", "state"),
    [
        (1000, 1000, State.THERE),
        (1000, 1009, State.THERE),  # a rounded size
        (1000, None, State.THERE),
        (1000, 1020, State.OTHER_SIZE),
        (0, 1000, State.OTHER_SIZE),
    ],
)
def test_a_file_is_there_if_its_size_is_about_the_told_one(root, count, told, state):
    put(root / "models/vae/a.pt", b"x" * count)
    found = look(ModelFile("a.pt", "vae", size=told), open_folder(str(root)))
    assert (found.state, found.on_disk) == (state, count)


def test_a_rounded_size_of_a_large_file_is_about_the_files(root):
    file = put(root / "models/vae/a.pt")
    os.truncate(file, 605_238_000)  # a hole: it takes no room
    found = look(ModelFile("a.pt", "vae", size=610_000_000), open_folder(str(root)))
    assert found.state is State.THERE


def test_a_download_that_is_under_way_is_told_and_is_no_model(root):
    comfy = open_folder(str(root))
    model = ModelFile("a.pt", "vae", size=1000)
    assert look(model, comfy).state is State.MISSING
    target = comfy.destination("vae", "a.pt")
    put(part_of(target, "f" * 64), b"x" * 10)
    put(part_of(target.with_name("ba.pt"), "f" * 64), b"x" * 5)
    found = look(model, comfy)
    assert (found.state, found.path, found.on_disk) == (State.BEGUN, target, 10)
    assert comfy.find("vae", "a.pt") is None
