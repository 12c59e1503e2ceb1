"""Ids that saved workflows hold: they are for ever, and so they stand here a second time."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from types import ModuleType

PACK = Path(__file__).parents[2] / "custom_nodes" / "promptreel"
KNOBS = "steps cfg sampler scheduler shift"
LOADS = "model text_encoder vae weight_dtype"
FROZEN = {
    "PromptReelRequest": ("image text negative seconds aspect resolution fps seed", 8),
    "PromptReelScene": ("text negative", 3),
    "PromptReelCamera": ("scene move strength seconds mode", 1),
    "PromptReelStill": ("image scene look framing width height mask", 1),
    "PromptReelAnimate": ("image scene width height fps seconds seed depth", 2),
    "PromptReelResult": ("video filename_prefix image", 0),
    "PromptReelWan22Model": (
        "high_noise low_noise text_encoder vae high_noise_lora low_noise_lora weight_dtype fast",
        1,
    ),
    "PromptReelWan22TI2V5BModel": (LOADS, 1),
    "PromptReelWan21Model": ("model text_encoder vae clip_vision weight_dtype", 1),
    "PromptReelHunyuanVideo15Model": (
        "model text_encoder text_encoder_2 vae clip_vision weight_dtype",
        1,
    ),
    "PromptReelLTXVModel": ("checkpoint text_encoder", 1),
    "PromptReelCosmosPredict2Model": (LOADS, 1),
    "PromptReelSVDModel": ("checkpoint", 1),
    "PromptReelSDModel": ("checkpoint", 1),
    "PromptReelQwenEditModel": ("model text_encoder vae lora weight_dtype fast", 1),
    "PromptReelFluxKontextModel": ("model text_encoder text_encoder_2 vae weight_dtype", 1),
    "PromptReelKeyframe": (
        f"model image scene strength width height seed {KNOBS}",
        1,
    ),
    "PromptReelImageToVideo": (
        f"model image scene width height seconds fps seed end_image {KNOBS}",
        3,
    ),
}


def _search() -> ModuleType:
    """The module without the package around it, which needs a ComfyUI."""
    spec = importlib.util.spec_from_file_location("search", PACK / "nodes" / "search.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_ids_are_for_ever():
    """New nodes, and new inputs and outputs at the end, are welcome; the old ones stay."""
    words = json.loads((PACK / "locales" / "en" / "nodeDefs.json").read_text(encoding="utf-8"))
    for node, (inputs, outputs) in FROZEN.items():
        known = inputs.split()
        assert list(words[node]["inputs"])[: len(known)] == known
        assert len(words[node]["outputs"]) >= outputs


def test_aliases_are_told_only_where_they_are_understood():
    search = _search()
    assert set(search.words()) <= set(FROZEN)

    def old(node_id: str) -> None: ...

    def new(node_id: str, search_aliases: list[str]) -> None: ...

    assert search.aliases(old, "PromptReelCamera") == {}
    assert "zoom" in search.aliases(new, "PromptReelCamera")["search_aliases"]
    assert search.aliases(new, "PromptReelSVDModel") == {}
