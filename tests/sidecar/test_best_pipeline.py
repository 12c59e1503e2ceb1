"""A request that names no pipeline: the best that runs there and can do what is asked."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sidecar.app import create_app
from sidecar.settings import Settings
from tests.fake_comfy import FakeComfy
from tests.service import picture_form, refusal

WORKFLOWS = Path(__file__).parents[2] / "workflows"
BEST, QUICK, ALWAYS = "ltx-video", "svd", "camera-motion"


def equip(fake: FakeComfy, *names: str) -> None:
    """Give a ComfyUI all that pipelines need."""
    for name in names:
        folder = WORKFLOWS / name
        manifest = json.loads((folder / "pipeline.json").read_text(encoding="utf-8"))
        graph = json.loads((folder / "graph.json").read_text(encoding="utf-8"))
        needed = {node["class_type"] for node in graph.values()} | {*manifest["nodes"]}
        fake.nodes |= {node: {} for node in needed}
        for row in manifest["models"]:
            fake.models.setdefault(row["folder"], []).append(row["name"])


@pytest.fixture(params=[1, 2], ids=["one server", "a pool"])
async def ask(request, aiohttp_client, tmp_path, png):
    """Return a function that sends a request, to one ComfyUI or a pool, and gives the answer."""
    async with FakeComfy() as one, FakeComfy() as other:
        equip(one, BEST)
        equip(one if request.param == 1 else other, QUICK)
        urls = ",".join(fake.url for fake in (one, other)[: request.param])
        client = await aiohttp_client(
            create_app(Settings(data_dir=tmp_path / "data", comfyui_url=urls))
        )
        uploaded = await client.post("/api/upload", data=picture_form(png))
        image = (await uploaded.json())["imageUrl"]

        async def send(**fields: str):
            data = {"imageUrl": image, "text": "a lighthouse", **fields}
            headers = {"Prefer": "respond-async"}
            return await client.post("/api/generate", data=data, headers=headers)

        yield send
        await client.close()


@pytest.mark.parametrize(
    ("asked", "taken"),
    [
        ({}, BEST),
        ({"seconds": "10.5"}, BEST),
        ({"seconds": "20"}, ALWAYS),
        ({"resolution": "720p"}, BEST),
        ({"resolution": "1080p"}, ALWAYS),
        ({"steps": "7"}, BEST),
        ({"seconds": "2", "fps": "5"}, QUICK),
    ],
)
async def test_the_best_that_can_do_what_is_asked_is_taken(ask, asked, taken):
    response = await ask(**asked)
    body = await response.json()
    assert response.status == 202, body
    assert body["pipeline"] == taken


@pytest.mark.parametrize("asked", [{"seconds": "61"}, {"seconds": "x"}, {"stepz": "3"}])
async def test_what_none_can_do_is_refused_as_the_best_would(ask, asked):
    (name,) = asked
    body = await refusal(await ask(**asked))
    assert name in body["fields"]
    assert BEST in body["details"] or "steps, cfg" in body["details"]


async def test_a_pipeline_that_is_named_keeps_its_limits(ask):
    body = await refusal(await ask(comfyPipeline=QUICK, seconds="10"))
    assert body["fields"] == {"seconds": "must be a number from 0.5 to 2.5"}
    assert QUICK in body["details"]
