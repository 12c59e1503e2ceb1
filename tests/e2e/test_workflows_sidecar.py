"""The model pipelines through the HTTP API on the real ComfyUI, with tiny random checkpoints.

What the pictures show means nothing: only that what was promised is delivered. The frame is made
smaller than a request can ask for, in copies of the pipelines; one runs as it is.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from tests.e2e.comfyui import Installation
from tests.e2e.comfyui_server import ComfyUI
from tests.e2e.example_workflows import WORKFLOWS, graph, made_by_models
from tests.e2e.running_sidecar import Sidecar, png, started

TEXT = "a lighthouse above the waves, slow push in"
HALF_A_SECOND = {  # frames and rate: 4n+1 (LTX-Video 8n+1, SVD any) at the model's own rate
    "wan2.2-i2v-14b": (9, 16),
    "wan2.2-i2v-14b-fast": (9, 16),
    "wan2.2-ti2v-5b": (13, 24),
    "wan2.1-i2v": (9, 16),
    "ltx-video": (17, 24),
    "hunyuan-video-1.5": (13, 24),
    "svd": (5, 10),
    "cosmos-predict2": (9, 16),
    "sdxl-to-wan2.2": (9, 16),
    "qwen-edit-to-wan2.2": (9, 16),
}
WIDTH, HEIGHT = 128, 64

pytestmark = pytest.mark.timeout(240)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Copies of our pipelines, NAME-small, that make small frames. Never used unasked."""
    folder = tmp_path_factory.mktemp("pipelines")
    for name in made_by_models():
        place = folder / f"{name}-small"
        place.mkdir()
        (place / "graph.json").write_text(json.dumps(smaller(name)), encoding="utf-8")
        (place / "pipeline.json").write_text(json.dumps(manifest(name) | {"rank": 0}))
    return folder


def smaller(name: str) -> dict[str, Any]:
    """A pipeline's graph, its pictures and frames of WIDTH x HEIGHT whatever is asked."""
    nodes = graph(name)
    for node in nodes.values():
        if {"model", "width", "height"} <= node["inputs"].keys():
            node["inputs"].update(width=WIDTH, height=HEIGHT)
    return nodes


def manifest(name: str) -> dict[str, Any]:
    return json.loads((WORKFLOWS / name / "pipeline.json").read_text(encoding="utf-8"))


@pytest.fixture
async def sidecar(comfyui: ComfyUI, aiohttp_client, tmp_path, small: Path) -> Sidecar:
    return await started(aiohttp_client, tmp_path, comfyui.url, pipelines_dir=str(small))


def test_no_pipeline_is_left_out():
    assert sorted(HALF_A_SECOND) == made_by_models()


@pytest.mark.parametrize("name", HALF_A_SECOND)
async def test_every_pipeline_makes_what_it_promises(sidecar: Sidecar, name: str):
    answer = await sidecar.make(
        imageUrl=await sidecar.upload(png()),
        text=TEXT,
        comfyPipeline=f"{name}-small",
        seconds="0.5",
        fps=None,
        steps="2",
    )
    frames, rate = await decoded(sidecar, answer["video"])
    count, fps = HALF_A_SECOND[name]
    assert (frames.shape, rate) == ((count, HEIGHT, WIDTH, 3), fps)
    assert frames.std() > 5, "a flat picture would prove nothing"
    assert said(answer, "4")[0].startswith(f"{WIDTH}x{HEIGHT}, {count} frames, ")


async def test_the_best_one_is_used_where_none_is_named_and_takes_size_and_rate(sidecar: Sidecar):
    rows = await listed(sidecar)
    assert [name for name, row in rows.items() if row["default"]] == ["wan2.2-i2v-14b-fast"]
    ours = {*made_by_models(), "camera-motion"}
    assert not [name for name in ours if any(rows[name]["missing"].values())]
    url = await sidecar.upload(png(1))
    asked = {"imageUrl": url, "text": TEXT, "comfyPipeline": None}
    answer = await sidecar.make(**asked, aspect="1:1", fps="8")
    assert (await sidecar.job(answer["jobId"]))["pipeline"] == "wan2.2-i2v-14b-fast"
    frames, rate = await decoded(sidecar, answer["video"])
    assert (frames.shape, rate) == ((5, 480, 480, 3), 8)


@pytest.mark.parametrize(("name", "value"), [("seconds", "6"), ("resolution", "1080p")])
async def test_more_than_the_model_can_is_refused_with_what_it_can(sidecar, name, value):
    url = await sidecar.upload(png())
    asked = {"imageUrl": url, "text": TEXT, "comfyPipeline": "wan2.2-ti2v-5b"}
    status, answer = await sidecar.ask(**{**asked, "fps": None, name: value})
    assert status == 400
    limits = {"seconds": "from 0.5 to 5", "resolution": "one of 480p, 720p"}
    assert limits[name] in answer["error"]


@pytest.fixture(scope="module")
def bare(comfyui_installation: Installation, tmp_path_factory) -> Iterator[ComfyUI]:
    """A server with the pack and not one model file."""
    server = ComfyUI(comfyui_installation, tmp_path_factory.mktemp("bare"))
    server.link_pack()
    server.start()
    yield server
    server.stop()


async def test_what_is_missing_is_told_and_nothing_starts(bare: ComfyUI, aiohttp_client, tmp_path):
    sidecar = await started(aiohttp_client, tmp_path, bare.url)
    rows = await listed(sidecar)
    assert [name for name, row in rows.items() if row["default"]] == ["camera-motion"]
    for name in made_by_models():
        missing, models = rows[name]["missing"], manifest(name)["models"]
        assert (missing["nodes"], missing["comfyui"]) == ([], "")
        named = [(model["folder"], model["name"], model["size"]) for model in missing["models"]]
        assert named == [(f"models/{row['folder']}", row["name"], row["bytes"]) for row in models]
    url = await sidecar.upload(png())
    status, answer = await sidecar.ask(imageUrl=url, text=TEXT, comfyPipeline="svd", fps=None)
    assert (status, answer["code"]) == (400, "missing_requirements")
    assert "svd_xt.safetensors" in answer["error"]
    assert "https://huggingface.co/stabilityai/" in answer["details"]


async def listed(sidecar: Sidecar) -> dict[str, dict[str, Any]]:
    """What GET /api/pipelines says, by name."""
    response = await sidecar.client.get("/api/pipelines")
    return {row["name"]: row for row in (await response.json())["pipelines"]}


def said(answer: dict[str, Any], node: str) -> list[str]:
    """What a node has shown."""
    return answer["workflowResponse"]["outputs"][node]["text"]


async def decoded(sidecar: Sidecar, url: str) -> tuple[np.ndarray, Fraction | None]:
    """The frames (count, height, width, 3) and the rate of a video of an answer."""
    with av.open(io.BytesIO(await sidecar.file(url))) as container:
        rate = container.streams.video[0].average_rate
        shown = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    return np.stack(shown), rate
