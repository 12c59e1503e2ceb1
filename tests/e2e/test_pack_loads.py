"""The pack in a real ComfyUI: it loads quickly and silently, and every node says what it is."""

from __future__ import annotations

import json
import urllib.request
from typing import Any

import pytest

from tests.e2e.comfyui_server import PACK, ComfyUI
from tests.e2e.pack_graphs import INTERNAL, NODES

VIDEO_MODEL, IMAGE_MODEL = ["PROMPTREEL_VIDEO_MODEL"], ["PROMPTREEL_IMAGE_MODEL"]
KNOBS = ("steps", "cfg", "sampler", "scheduler", "shift")
IO = {
    "PromptReelRequest": (
        ["image", "text", "negative", "seconds", "aspect", "resolution", "fps", "seed"],
        ["IMAGE", "STRING", "INT", "FLOAT", "INT", "INT", "FLOAT", "STRING"],
    ),
    "PromptReelScene": (["text", "negative"], ["PROMPTREEL_SCENE", "STRING", "STRING"]),
    "PromptReelCamera": (
        ["scene", "move", "strength", "seconds", "mode"],
        ["PROMPTREEL_SCENE"],
    ),
    "PromptReelStill": (
        ["image", "scene", "look", "framing", "width", "height", "mask"],
        ["IMAGE"],
    ),
    "PromptReelAnimate": (
        ["image", "scene", "width", "height", "fps", "seconds", "seed", "depth"],
        ["VIDEO", "IMAGE"],
    ),
    "PromptReelResult": (["video", "filename_prefix", "image"], []),
    "PromptReelWan22Model": (
        [
            *("high_noise", "low_noise", "text_encoder", "vae"),
            *("high_noise_lora", "low_noise_lora", "weight_dtype", "fast"),
        ],
        VIDEO_MODEL,
    ),
    "PromptReelWan22TI2V5BModel": (["model", "text_encoder", "vae", "weight_dtype"], VIDEO_MODEL),
    "PromptReelWan21Model": (
        ["model", "text_encoder", "vae", "clip_vision", "weight_dtype"],
        VIDEO_MODEL,
    ),
    "PromptReelHunyuanVideo15Model": (
        ["model", "text_encoder", "text_encoder_2", "vae", "clip_vision", "weight_dtype"],
        VIDEO_MODEL,
    ),
    "PromptReelLTXVModel": (["checkpoint", "text_encoder"], VIDEO_MODEL),
    "PromptReelCosmosPredict2Model": (
        ["model", "text_encoder", "vae", "weight_dtype"],
        VIDEO_MODEL,
    ),
    "PromptReelSVDModel": (["checkpoint"], VIDEO_MODEL),
    "PromptReelSDModel": (["checkpoint"], IMAGE_MODEL),
    "PromptReelQwenEditModel": (
        ["model", "text_encoder", "vae", "lora", "weight_dtype", "fast"],
        IMAGE_MODEL,
    ),
    "PromptReelFluxKontextModel": (
        ["model", "text_encoder", "text_encoder_2", "vae", "weight_dtype"],
        IMAGE_MODEL,
    ),
    "PromptReelKeyframe": (
        ["model", "image", "scene", "strength", "width", "height", "seed", *KNOBS],
        ["IMAGE"],
    ),
    "PromptReelImageToVideo": (
        [
            *("model", "image", "scene", "width", "height", "seconds", "fps", "seed"),
            *("end_image", *KNOBS),
        ],
        ["VIDEO", "IMAGE", "IMAGE"],
    ),
}


def _inputs(info: dict[str, Any]) -> dict[str, Any]:
    groups = info["input"].get("required", {}), info["input"].get("optional", {})
    return {name: spec for group in groups for name, spec in group.items()}


def _boot_log(comfyui: ComfyUI) -> str:
    return comfyui.log().partition("To see the GUI go to")[0]


def test_log_holds_no_complaint_about_the_pack(comfyui: ComfyUI):
    log = _boot_log(comfyui).replace("\\", "/")
    lines = [line for line in log.splitlines() if "custom_nodes/promptreel" in line]
    assert len(lines) == 1, lines
    assert "IMPORT FAILED" not in lines[0]


@pytest.mark.parametrize("node", NODES)
def test_ids_inputs_and_outputs_never_change(comfyui: ComfyUI, node: str):
    info = comfyui.get(f"/object_info/{node}")[node]
    assert (list(_inputs(info)), info["output"]) == IO[node]
    assert info["category"] == "PromptReel"
    assert info["output_node"] == (node == "PromptReelResult")


@pytest.mark.parametrize("node", NODES)
def test_every_input_and_output_has_a_tooltip_and_a_translation(comfyui: ComfyUI, node: str):
    info = comfyui.get(f"/object_info/{node}")[node]
    assert info["display_name"].startswith("PromptReel")
    assert info["description"]
    assert all(spec[1]["tooltip"] for spec in _inputs(info).values())
    assert all(info["output_tooltips"])
    for language in ("en", "ru"):
        words = comfyui.get("/i18n")[language]["nodeDefs"][node]
        assert words["inputs"].keys() == _inputs(info).keys()
        assert list(words["outputs"]) == [str(i) for i in range(len(info["output"]))]


@pytest.mark.parametrize("node", NODES)
@pytest.mark.parametrize("language", ["en", "ru"])
def test_help_pages_are_served(comfyui: ComfyUI, node: str, language: str):
    url = f"{comfyui.url}/extensions/promptreel/docs/{node}/{language}.md"
    with urllib.request.urlopen(url, timeout=10) as page:
        assert page.read().decode().startswith("# PromptReel")


@pytest.mark.parametrize("node", INTERNAL)
def test_nodes_of_expansions_stay_out_of_the_menus(comfyui: ComfyUI, node: str):
    info = comfyui.get(f"/object_info/{node}")[node]
    assert info["deprecated"], "the editor hides deprecated nodes from its search"
    assert info["category"] == "PromptReel/internal"


def test_example_workflows_are_offered_and_served(comfyui: ComfyUI):
    kept = {path.stem: path for path in (PACK / "example_workflows").glob("*.json")}
    assert "camera-motion" in kept
    assert set(comfyui.get("/workflow_templates")["promptreel"]) == kept.keys()
    for name, path in kept.items():
        served = comfyui.get(f"/api/workflow_templates/promptreel/{name}.json")
        assert served == json.loads(path.read_text(encoding="utf-8"))


def test_pictures_of_the_input_folder_are_offered(comfyui: ComfyUI):
    (comfyui.input_dir / "offered.png").write_bytes(b"")
    (comfyui.input_dir / "note.txt").write_bytes(b"")
    info = comfyui.get("/object_info/PromptReelRequest")["PromptReelRequest"]
    spec = info["input"]["required"]["image"]
    options = spec[0] if isinstance(spec[0], list) else spec[1]["options"]
    assert spec[1]["image_upload"] is True
    assert "offered.png" in options
    assert "note.txt" not in options
