"""The tests' own checkpoints: what their manifests say, all families covered, and small."""

from __future__ import annotations

import pytest
from promptreel.families import FAMILIES, KEYFRAMES
from promptreel.families.headers import read_header

from tests.e2e.comfyui import Installation
from tests.tiny_models.generate import read
from tests.tiny_models.models import MANIFESTS, tiny_models

MOST_BYTES = 300_000_000
MANIFEST_FILES = sorted(MANIFESTS.glob("*/*.txt"))


def test_patterns_are_spelled_out():
    made = read("@config {}\n[a.{0,1}.]\n2x3 {q,k}.weight\nscalar alpha\n[]\n1:uint8 b\n")
    assert made.metadata == {"config": "{}"}
    assert made.tensors == {
        **dict.fromkeys(
            [f"a.{n}.{name}.weight" for n in "01" for name in "qk"], ("float16", (2, 3))
        ),
        **dict.fromkeys(["a.0.alpha", "a.1.alpha"], ("float16", ())),
        "b": ("uint8", (1,)),
    }


def test_every_family_has_its_first_official_files():
    there = {path.relative_to(MANIFESTS).with_suffix("").as_posix() for path in MANIFEST_FILES}
    for model in (*FAMILIES.values(), *KEYFRAMES.values()):
        for slot in model.slots:
            name = slot.official[0].name.removesuffix(".safetensors")
            assert f"{slot.folder}/{name}" in there


def test_together_they_are_small(comfyui_installation: Installation):
    files = tiny_models(comfyui_installation).rglob("*.safetensors")
    sizes = {path.stat().st_ino: path.stat().st_size for path in files}
    assert sum(sizes.values()) < MOST_BYTES


@pytest.mark.parametrize("manifest", MANIFEST_FILES, ids=lambda path: path.stem)
def test_file_holds_what_its_manifest_says(comfyui_installation: Installation, manifest):
    text = manifest.read_text(encoding="utf-8")
    if text.startswith("="):
        text = (MANIFESTS / f"{text[1:].strip()}.txt").read_text(encoding="utf-8")
    said = read(text)
    place = tiny_models(comfyui_installation) / manifest.relative_to(MANIFESTS)
    header = read_header(place.with_name(f"{manifest.stem}.safetensors"))
    shapes = {name: shape for name, (_, shape) in said.tensors.items()}
    tokenizer = {"spiece_model": header.shapes.get("spiece_model")}  # as long as it has become
    assert header.shapes == shapes | {k: v for k, v in tokenizer.items() if v}
    assert header.metadata == said.metadata
