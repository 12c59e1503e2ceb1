"""Graphs for the tests: the camera-motion pipeline, small and quick, and single nodes."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

from tests.e2e.comfyui_play import Graph, Play
from tests.e2e.comfyui_server import ComfyUI

ROOT = Path(__file__).parents[2]
NODES = (
    "PromptReelRequest",
    "PromptReelScene",
    "PromptReelCamera",
    "PromptReelStill",
    "PromptReelAnimate",
    "PromptReelResult",
    "PromptReelWan22Model",
    "PromptReelWan22TI2V5BModel",
    "PromptReelWan21Model",
    "PromptReelHunyuanVideo15Model",
    "PromptReelLTXVModel",
    "PromptReelCosmosPredict2Model",
    "PromptReelSVDModel",
    "PromptReelSDModel",
    "PromptReelQwenEditModel",
    "PromptReelFluxKontextModel",
    "PromptReelKeyframe",
    "PromptReelImageToVideo",
)
INTERNAL = ("PromptReelModelBundle", "PromptReelModelParts")  # only in expansions


def camera_motion(**request: Any) -> Graph:
    """The pipeline as the sidecar runs it: 480p and a second unless told otherwise."""
    path = ROOT / "workflows" / "camera-motion" / "graph.json"
    graph: Graph = json.loads(path.read_text(encoding="utf-8"))
    quick = {"text": "push in", "seconds": 1.0, "fps": 12.0, "aspect": "16:9", "resolution": "480p"}
    graph["1"]["inputs"].update(quick | request)
    return graph


def animate(image: list[Any], text: str = "push in", **widgets: Any) -> Graph:
    """Any IMAGE link, animated and saved: nodes "2" (Scene), "4" (Animate) and "5" (Result)."""
    size = {"width": 320, "height": 240, "fps": 12.0, "seconds": 1.0, "seed": 0}
    result = {"video": ["4", 0], "image": ["4", 1], "filename_prefix": "test/clip"}
    return {
        "2": node("PromptReelScene", text=text, negative=""),
        "4": node("PromptReelAnimate", image=image, scene=["2", 0], **(size | widgets)),
        "5": node("PromptReelResult", **result),
    }


def node(class_type: str, **inputs: Any) -> dict[str, Any]:
    """One node of an API graph."""
    return {"class_type": class_type, "inputs": inputs}


def without(graph: Graph, number: str, *inputs: str) -> Graph:
    """The graph with some inputs of one node left open."""
    changed = copy.deepcopy(graph)
    for name in inputs:
        del changed[number]["inputs"][name]
    return changed


def files(comfyui: ComfyUI, done: Play, number: str = "5") -> dict[str, Path]:
    """The files that the Result names: "image" and "video"."""
    assert done.status == "success", done.error
    (record,) = done.outputs[number]["promptreel"]
    named = {kind: record[kind] for kind in ("image", "video")}
    assert all(file["type"] == "output" for file in named.values())
    return {
        kind: comfyui.output_dir / file["subfolder"] / file["filename"]
        for kind, file in named.items()
    }
