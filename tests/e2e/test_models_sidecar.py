"""What the model nodes refuse, as the sidecar's client is told it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from tests.e2e.pack_graphs import ROOT
from tests.e2e.running_sidecar import png, started


def _changed(folder: Path, pipeline: str, class_type: str, **inputs: Any) -> None:
    """Copy a pipeline as "changed", with other inputs of one node."""
    shutil.copytree(ROOT / "workflows" / pipeline, folder / "changed")
    path = folder / "changed" / "graph.json"
    graph = json.loads(path.read_text(encoding="utf-8"))
    (node,) = (node for node in graph.values() if node["class_type"] == class_type)
    node["inputs"] |= inputs
    path.write_text(json.dumps(graph), encoding="utf-8")


async def test_wrong_pair_is_one_sentence(comfyui, aiohttp_client, tmp_path):
    folder, wrong = tmp_path / "pipelines", "wan_2.1_vae.safetensors"
    _changed(folder, "wan2.2-ti2v-5b", "PromptReelWan22TI2V5BModel", vae=wrong)
    sidecar = await started(aiohttp_client, tmp_path, comfyui.url, pipelines_dir=str(folder))
    asked = {"imageUrl": await sidecar.upload(png(10)), "text": "x", "comfyPipeline": "changed"}
    status, body = await sidecar.ask(**asked, fps=None)
    assert (status, body["code"]) == (500, "node_failed")
    assert f"{wrong} is " in body["error"]
    assert "wan2.2_vae.safetensors" in body["error"]
    assert "Traceback" not in str(body)


async def test_missing_file_is_one_sentence(comfyui, aiohttp_client, tmp_path):
    folder, wrong = tmp_path / "pipelines", "wan2.1_i2v_720p_14B_fp16.safetensors"
    _changed(folder, "wan2.1-i2v", "PromptReelWan21Model", model=wrong)
    sidecar = await started(aiohttp_client, tmp_path, comfyui.url, pipelines_dir=str(folder))
    asked = {"imageUrl": await sidecar.upload(png(10)), "text": "x", "comfyPipeline": "changed"}
    status, body = await sidecar.ask(**asked, fps=None)
    assert (status, body["code"]) == (500, "graph_rejected"), body
    assert body["error"].count(wrong) == 1, body["error"]
