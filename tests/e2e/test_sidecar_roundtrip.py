"""The whole way over HTTP with the real ComfyUI: picture and text in, video out."""

from __future__ import annotations

import asyncio
import io

import pytest
from PIL import Image
from yarl import URL

from tests.e2e.comfyui_server import ComfyUI
from tests.e2e.running_sidecar import PIPELINES, Sidecar, png, started


@pytest.fixture
async def sidecar(comfyui: ComfyUI, aiohttp_client, tmp_path) -> Sidecar:
    return await started(aiohttp_client, tmp_path, comfyui.url, pipelines_dir=PIPELINES)


@pytest.mark.parametrize("input_dir", ["", "-"], ids=["shared folder", "upload"])
async def test_the_round_trip(comfyui: ComfyUI, aiohttp_client, tmp_path, input_dir):
    picture = png(seed=11 if input_dir else 12)
    sidecar = await started(aiohttp_client, tmp_path, comfyui.url, comfyui_input_dir=input_dir)
    url = await sidecar.upload(picture)
    answer = await sidecar.make(imageUrl=url, text="slow push in", aspect="16:9")
    assert await sidecar.video(answer["video"]) == ("video/mp4", (854, 480), 6)
    with Image.open(io.BytesIO(await sidecar.file(answer["image"]))) as still:
        assert (still.format, still.size) == ("PNG", (854, 480))
    placed = comfyui.input_dir / "promptreel" / URL(url).name
    assert placed.read_bytes() == picture
    assert not list(placed.parent.glob(".*"))


async def test_the_answer_holds_what_comfyui_said(sidecar: Sidecar):
    answer = await sidecar.make(imageUrl=await sidecar.upload(png()), text="pan left")
    said = answer["workflowResponse"]
    assert set(said) == {"prompt_id", "number", "node_errors", "outputs", "status"}
    assert said["node_errors"] == {}
    assert (said["status"]["status_str"], said["status"]["completed"]) == ("success", True)
    assert said["outputs"]["5"]["promptreel"][0]["frames"] == 6
    job = await sidecar.job(answer["jobId"])
    assert (job["status"], job["pipeline"]) == ("succeeded", "camera-motion")


async def test_two_at_once_get_each_their_own(sidecar: Sidecar):
    pictures = [await sidecar.upload(png(seed)) for seed in (1, 2)]
    asked = zip(pictures, ("1:1", "16:9"), strict=True)
    answers = await asyncio.gather(
        *(sidecar.make(imageUrl=url, text="zoom in", aspect=aspect) for url, aspect in asked)
    )
    sizes = [(await sidecar.video(answer["video"]))[1] for answer in answers]
    assert sizes == [(480, 480), (854, 480)]
    assert len({answer["workflowResponse"]["prompt_id"] for answer in answers}) == 2


async def test_a_cyrillic_name_and_text(sidecar: Sidecar):
    url = await sidecar.upload(png(3), filename="Закат над морем №1.png")
    answer = await sidecar.make(imageUrl=url, text="медленный наезд камеры, ночь")
    assert (await sidecar.video(answer["video"]))[2] == 6
    (told,) = answer["workflowResponse"]["outputs"]["2"]["text"]
    assert "ноч" in told.lower()


async def test_text_stays_text(sidecar: Sidecar):
    text = '"}, "5": {"class_type": "X"}} [zoom in] \\u0022 \' {{7*7}} %date% ["1", 0]'
    answer = await sidecar.make(imageUrl=await sidecar.upload(png(4)), text=text)
    assert (await sidecar.video(answer["video"]))[2] == 6


async def test_every_common_parameter_arrives(sidecar: Sidecar):
    url = await sidecar.upload(png(5))
    answer = await sidecar.make(
        imageUrl=url, text="orbit", aspect="9:16", fps="10", seconds="1.2", seed=str(2**64 - 1)
    )
    assert await sidecar.video(answer["video"]) == ("video/mp4", (480, 854), 12)
    said = await sidecar.make(imageUrl=url, text="static, 2 seconds", seconds=None, negative="fog")
    assert (await sidecar.video(said["video"]))[2] == 24


async def test_a_mapped_graph_of_core_nodes_and_a_still_from_its_video(sidecar: Sidecar):
    url = await sidecar.upload(png(6, 320, 240))
    answer = await sidecar.make(
        imageUrl=url, text="x", comfyPipeline="core-nodes", frames="5", fps="8", **NOTHING_COMMON
    )
    assert await sidecar.video(answer["video"]) == ("video/mp4", (320, 240), 5)
    with Image.open(io.BytesIO(await sidecar.file(answer["image"]))) as still:
        assert (still.format, still.size) == ("PNG", (320, 240))


NOTHING_COMMON = {"seconds": None, "resolution": None}


async def test_the_same_request_twice_comes_from_the_cache_and_is_whole(sidecar: Sidecar):
    url = await sidecar.upload(png(7))
    first = await sidecar.make(imageUrl=url, text="roll clockwise")
    again = await sidecar.make(imageUrl=url, text="roll clockwise")
    assert _named(again) == _named(first)
    assert first["video"] != again["video"]
    assert await sidecar.file(again["video"]) == await sidecar.file(first["video"])


@pytest.mark.parametrize("pipeline", ["camera-motion", "core-nodes"])
async def test_a_cached_file_that_was_deleted_is_made_again(comfyui, sidecar: Sidecar, pipeline):
    fields = {"imageUrl": await sidecar.upload(png(8)), "text": "tilt up"}
    if pipeline == "core-nodes":
        fields |= NOTHING_COMMON | {"fps": "9"}
    first = await sidecar.make(comfyPipeline=pipeline, **fields)
    for output in first["workflowResponse"]["outputs"].values():
        for file in output.get("images", []):
            (comfyui.output_dir / file["subfolder"] / file["filename"]).unlink()
    again = await sidecar.make(comfyPipeline=pipeline, **fields)
    assert (await sidecar.video(again["video"]))[2] > 2


async def test_an_input_folder_that_was_emptied_costs_nothing(comfyui, sidecar: Sidecar):
    url = await sidecar.upload(png(9))
    await sidecar.make(imageUrl=url, text="pan left")
    (comfyui.input_dir / "promptreel" / URL(url).name).unlink()
    answer = await sidecar.make(imageUrl=url, text="pan right")
    assert (await sidecar.video(answer["video"]))[2] == 6


async def test_pipelines_are_listed_with_what_they_lack(sidecar: Sidecar):
    response = await sidecar.client.get("/api/pipelines")
    assert response.status == 200
    rows = {row["name"]: row for row in (await response.json())["pipelines"]}
    assert [name for name, row in rows.items() if row["default"]] == ["wan2.2-i2v-14b-fast"]
    assert rows["camera-motion"]["missing"] == {"nodes": [], "models": [], "comfyui": ""}
    assert rows["needs-more"]["missing"]["nodes"] == ["NodeOfNobody", "AlsoNotThere"]
    places = [model["folder"] for model in rows["needs-more"]["missing"]["models"]]
    assert places == ["models/diffusion_models", "models/vae"]
    seconds = next(p for p in rows["camera-motion"]["parameters"] if p["name"] == "seconds")
    assert (seconds["type"], seconds["minimum"], seconds["maximum"]) == ("number", 0.5, 60)


def _named(answer: dict) -> list:
    return answer["workflowResponse"]["outputs"]["5"]["images"]
