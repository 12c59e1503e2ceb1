"""The pack in a real ComfyUI: it loads quickly and silently, and every node says what it is."""

from __future__ import annotations

import json
import urllib.request
from typing import Any

import pytest

from tests.e2e.comfyui_server import PACK, ComfyUI
from tests.e2e.pack_graphs import NODES

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


def test_example_workflow_is_offered_and_served(comfyui: ComfyUI):
    assert comfyui.get("/workflow_templates")["promptreel"] == ["camera-motion"]
    served = comfyui.get("/api/workflow_templates/promptreel/camera-motion.json")
    kept = PACK / "example_workflows" / "camera-motion.json"
    assert served == json.loads(kept.read_text(encoding="utf-8"))


def test_pictures_of_the_input_folder_are_offered(comfyui: ComfyUI):
    (comfyui.input_dir / "offered.png").write_bytes(b"")
    (comfyui.input_dir / "note.txt").write_bytes(b"")
    info = comfyui.get("/object_info/PromptReelRequest")["PromptReelRequest"]
    spec = info["input"]["required"]["image"]
    options = spec[0] if isinstance(spec[0], list) else spec[1]["options"]
    assert spec[1]["image_upload"] is True
    assert "offered.png" in options
    assert "note.txt" not in options
