"""The pipelines of the newest families are what the importer makes of the official templates."""

from __future__ import annotations

from pathlib import Path

import pytest

from sidecar.manifest import bundled_folder, load_pipeline
from tests.importer.foreign import expected
from tests.importer.newer import FAMILIES, make, sizes

FOLDER = bundled_folder()


@pytest.mark.parametrize("name", FAMILIES)
def test_folder_is_what_is_made(name: str, tmp_path: Path):
    make(name, tmp_path)
    for file in ("graph.json", "pipeline.json"):
        made, kept = (place / name / file for place in (tmp_path, FOLDER))
        assert made.read_text(encoding="utf-8") == kept.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", FAMILIES)
def test_it_is_only_used_by_name_and_says_what_was_proved(name: str):
    pipeline = load_pipeline(FOLDER / name)
    assert pipeline.rank == 0
    assert "Checked by structure alone" in pipeline.description
    assert "not run" in pipeline.description
    assert pipeline.requires_comfyui == FAMILIES[name]["requires"]
    wanted = expected(f"0.33.0/{FAMILIES[name]['template']}")
    assert {pipeline.video_output} == wanted.pop("video")
    found = {key: {f"{s.node}.{s.input}" for s in slots} for key, slots in pipeline.mapping.items()}
    assert found == wanted


@pytest.mark.parametrize("name", FAMILIES)
def test_every_model_file_has_its_source(name: str):
    models = load_pipeline(FOLDER / name).models
    assert len(models) >= 4
    assert all(model.source.startswith("https://huggingface.co/") for model in models)


def test_sizes_are_exact_where_the_pack_knows_the_file_and_else_rounded_bytes():
    found = sizes()
    assert found["qwen_2.5_vl_7b_fp8_scaled.safetensors"] == 9_384_670_680
    assert found["ltx-2.3-22b-dev-fp8.safetensors"] == 29_140_000_000  # its note: 27.14 GB
    assert found["minimax_h3_audio_vae_fp32.safetensors"] == 610_000_000  # its note: 577.2 MB
