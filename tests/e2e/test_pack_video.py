"""Videos out of the real ComfyUI: what was asked for, playable, saved once, and shown."""

from __future__ import annotations

import json
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from PIL import Image
from promptreel.engine.probe import probe
from promptreel.engine.values import Extent

from tests.e2e.comfyui_play import Refused, play
from tests.e2e.comfyui_server import ComfyUI
from tests.e2e.landscape import depth, landscape, save
from tests.e2e.pack_graphs import animate, camera_motion, files, node, without


@pytest.fixture(scope="module", autouse=True)
def _picture(comfyui: ComfyUI) -> None:
    save(comfyui.input_dir / "land.png", landscape(960, 640))


def _frames(path: Path) -> Iterator[np.ndarray]:
    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            yield frame.to_ndarray(format="rgb24")


def _difference(one: np.ndarray, other: np.ndarray) -> float:
    return float(np.abs(one.astype(int) - other.astype(int)).mean())


def _inputs(prompt: str) -> dict[str, Any]:
    """What a saved prompt asks for; ComfyUI adds its own notes to the nodes."""
    return {number: node["inputs"] for number, node in json.loads(prompt).items()}


def _image(path: Path) -> np.ndarray:
    with Image.open(path) as picture:
        return np.asarray(picture.convert("RGB"))


async def test_camera_motion_gives_the_video_that_was_asked_for(comfyui: ComfyUI):
    graph = camera_motion(image="land.png", text="push in quickly", seconds=1.5, fps=24.0)
    done = await play(comfyui, graph)
    made = files(comfyui, done)
    frames = list(_frames(made["video"]))
    with av.open(str(made["video"])) as container:
        (stream,) = container.streams.video
        assert (stream.codec.name, stream.pix_fmt) == ("h264", "yuv420p")
        assert stream.average_rate == Fraction(24)
    assert len(frames) == 36
    assert frames[0].shape == (480, 854, 3)
    assert _difference(frames[0], frames[-1]) > 3
    assert _difference(_image(made["image"]), frames[0]) < 4


async def test_record_and_preview_name_the_files(comfyui: ComfyUI):
    done = await play(comfyui, camera_motion(image="land.png", text="pan left"))
    output = done.outputs["5"]
    (record,) = output["promptreel"]
    facts = {key: record[key] for key in ("width", "height", "fps", "frames", "seconds")}
    assert facts == {"width": 854, "height": 480, "fps": 12.0, "frames": 12, "seconds": 1.0}
    assert output["images"] == [record["video"]]
    assert output["animated"] == [True]
    assert Path(record["video"]["filename"]).stem == Path(record["image"]["filename"]).stem


async def test_scene_tells_what_it_understood_in_the_texts_language(comfyui: ComfyUI):
    english = await play(comfyui, camera_motion(image="land.png", text="zoom in, 1 second"))
    russian = await play(comfyui, camera_motion(image="land.png", text="наезд камеры, ночь"))
    (said,) = english.outputs["2"]["text"]
    (told,) = russian.outputs["2"]["text"]
    assert "zoom" in said.lower()
    assert said.isascii()
    assert "ноч" in told.lower()


async def test_seconds_zero_means_as_the_text_says(comfyui: ComfyUI):
    graph = camera_motion(image="land.png", text="static shot, 2 seconds", seconds=0.0)
    (record,) = (await play(comfyui, graph)).outputs["5"]["promptreel"]
    assert record["seconds"] == 2.0


async def test_files_carry_prompt_and_workflow(comfyui: ComfyUI):
    graph, workflow = camera_motion(image="land.png", text="tilt up"), {"nodes": [], "note": "ё"}
    made = files(comfyui, await play(comfyui, graph, workflow=workflow))
    with av.open(str(made["video"])) as container, Image.open(made["image"]) as still:
        for held in (container.metadata, still.info):
            assert json.loads(held["workflow"]) == workflow
            assert _inputs(held["prompt"]) == _inputs(json.dumps(graph))


async def test_progress_and_previews_reach_the_web_socket(comfyui: ComfyUI):
    graph = camera_motion(image="land.png", text="orbit", seconds=4.0, fps=30.0, resolution="720p")
    done = await play(comfyui, graph)
    told = [data for data in done.data("progress") if data["node"] == "5"]
    values = [data["value"] for data in told]
    assert values == sorted(values)
    assert (values[-1], told[-1]["max"]) == (120, 120)
    shown = [data["value"] for data in done.data("progress") if data["node"] == "4"]
    assert len(shown) == len(done.previews) + 1
    assert shown[-1] == 120
    assert done.previews


async def test_cached_rerun_names_the_same_files_and_renders_nothing(comfyui: ComfyUI):
    graph = camera_motion(image="land.png", text="roll clockwise")
    first, again = await play(comfyui, graph), await play(comfyui, graph)
    assert again.outputs["5"] == first.outputs["5"]
    assert not again.data("progress")


async def test_picture_changed_under_the_same_name_runs_again(comfyui: ComfyUI):
    path = save(comfyui.input_dir / "changing.png", landscape(320, 240))
    graph = camera_motion(image="changing.png", text="pan right")
    first = files(comfyui, await play(comfyui, graph))
    save(path, 255 - landscape(320, 240))
    second = files(comfyui, await play(comfyui, graph))
    assert second["video"] != first["video"]


async def test_core_save_video_takes_our_video(comfyui: ComfyUI):
    graph = animate(["1", 0], "truck right") | {"1": node("LoadImage", image="land.png")}
    save_video = {"filename_prefix": "core/clip", "format": "auto", "codec": "auto"}
    graph["6"] = node("SaveVideo", video=["4", 0], **save_video)
    done = await play(comfyui, graph, workflow={"nodes": []})
    (named,) = done.outputs["6"]["images"]
    path = comfyui.output_dir / named["subfolder"] / named["filename"]
    assert sum(1 for _ in _frames(path)) == 12
    with av.open(str(path)) as container:
        assert _inputs(container.metadata["prompt"]) == _inputs(json.dumps(graph))


async def test_get_video_components_gives_every_frame(comfyui: ComfyUI):
    graph = without(animate(["1", 0]), "5", "image") | {"1": node("LoadImage", image="land.png")}
    graph["6"] = node("GetVideoComponents", video=["4", 0])
    graph["7"] = node("SaveImage", images=["6", 0], filename_prefix="frames/f")
    done = await play(comfyui, graph)
    rendered = list(_frames(files(comfyui, done)["video"]))
    named = done.outputs["7"]["images"]
    assert len(named) == len(rendered) == 12
    last = _image(comfyui.output_dir / named[-1]["subfolder"] / named[-1]["filename"])
    assert _difference(last, rendered[-1]) < 4


async def test_result_saves_the_video_of_other_nodes(comfyui: ComfyUI):
    graph = {
        "1": node("LoadImage", image="land.png"),
        "2": node("RepeatImageBatch", image=["1", 0], amount=5),
        "3": node("CreateVideo", images=["2", 0], fps=5.0),
        "5": node("PromptReelResult", video=["3", 0], filename_prefix="other"),
    }
    done = await play(comfyui, graph)
    made = files(comfyui, done)
    assert (done.outputs["5"]["promptreel"][0]["frames"], made["video"].parent) == (
        5,
        comfyui.output_dir,
    )
    assert _image(made["image"]).shape == (640, 960, 3)
    (comfyui.input_dir / "clip.mp4").write_bytes(made["video"].read_bytes())
    loaded = {
        "1": node("LoadVideo", file="clip.mp4"),
        "5": node("PromptReelResult", video=["1", 0], filename_prefix="other/again"),
    }
    again = files(comfyui, await play(comfyui, loaded))
    assert sum(1 for _ in _frames(again["video"])) == 5


def _resized(width: int, height: int, prefix: str = "odd") -> dict[str, Any]:
    """Three frames of any size by ComfyUI's own nodes, into our Result."""
    scale = {"upscale_method": "area", "width": width, "height": height, "crop": "disabled"}
    return {
        "1": node("LoadImage", image="land.png"),
        "2": node("ImageScale", image=["1", 0], **scale),
        "3": node("RepeatImageBatch", image=["2", 0], amount=3),
        "4": node("CreateVideo", images=["3", 0], fps=5.0),
        "5": node("PromptReelResult", video=["4", 0], filename_prefix=prefix),
    }


@pytest.mark.parametrize(("size", "even"), [((321, 241), (320, 240)), ((64, 47), (64, 46))])
async def test_result_evens_the_odd_sides_of_other_nodes_videos(comfyui: ComfyUI, size, even):
    done = await play(comfyui, _resized(*size))
    made = files(comfyui, done)
    assert [(f.shape[1], f.shape[0]) for f in _frames(made["video"])] == [even] * 3
    record = done.outputs["5"]["promptreel"][0]
    assert (record["width"], record["height"]) == even


async def test_video_of_one_pixel_is_refused_in_words(comfyui: ComfyUI):
    assert "too small to be saved: 1x1" in (await play(comfyui, _resized(1, 1))).error


@pytest.mark.parametrize("prefix", ["", ".", "./"])
async def test_prefix_without_a_name_makes_no_hidden_file(comfyui: ComfyUI, prefix: str):
    made = files(comfyui, await play(comfyui, _resized(64, 48, prefix)))
    assert made["video"].name.startswith("PromptReel_")
    assert made["video"].parent == comfyui.output_dir


async def test_depth_map_changes_how_a_move_through_space_looks(comfyui: ComfyUI):
    save(comfyui.input_dir / "depth.png", depth(960, 640))
    load = {
        "1": node("LoadImage", image="land.png"),
        "8": node("LoadImage", image="depth.png"),
    }
    flat = await play(comfyui, animate(["1", 0], "orbit left", seed=1) | load)
    deep = await play(comfyui, animate(["1", 0], "orbit left", seed=1, depth=["8", 0]) | load)
    one, other = (list(_frames(files(comfyui, done)["video"])) for done in (flat, deep))
    assert len(one) == len(other) == 12
    assert max(_difference(a, b) for a, b in zip(one, other, strict=True)) > 0.5


async def test_camera_replaces_adds_and_follows(comfyui: ComfyUI):
    told = {}
    for mode in ("replace", "add", "then"):
        graph = animate(["1", 0], "zoom in") | {"1": node("LoadImage", image="land.png")}
        widgets = {"move": "pan_left", "strength": 1.0, "seconds": 0.0, "mode": mode}
        graph["3"] = node("PromptReelCamera", scene=["2", 0], **widgets)
        graph["4"]["inputs"]["scene"] = ["3", 0]
        done = await play(comfyui, graph)
        files(comfyui, done)
        (told[mode],) = done.outputs["3"]["text"]
    assert "zoom" not in told["replace"]
    assert all("zoom" in told[mode] and "pans left" in told[mode] for mode in ("add", "then"))
    assert told["add"] != told["then"]


@pytest.mark.parametrize(
    ("number", "name", "said"),
    [
        ("1", "aspect", "Unknown aspect 'bogus'"),
        ("1", "resolution", "Unknown resolution 'bogus'"),
        ("3", "look", "Unknown look 'bogus'"),
        ("3", "framing", "Unknown framing 'bogus'"),
    ],
)
async def test_wrong_choice_says_what_to_use(comfyui: ComfyUI, number: str, name: str, said: str):
    graph = camera_motion(image="land.png")
    graph[number]["inputs"][name] = "bogus"
    try:
        error = (await play(comfyui, graph)).error
    except Refused as refused:  # newer ComfyUIs check choices before they run
        error = " ".join(refused.details)
        said = "not in"
    assert said in error


async def test_length_out_of_limits_says_what_the_limits_are(comfyui: ComfyUI):
    graph = animate(["1", 0], seconds=0.1) | {"1": node("LoadImage", image="land.png")}
    assert "The length must be" in (await play(comfyui, graph)).error


async def test_odd_sizes_from_a_link_lose_a_pixel(comfyui: ComfyUI):
    graph = animate(["1", 0], width=321, height=241) | {"1": node("LoadImage", image="land.png")}
    made = files(comfyui, await play(comfyui, graph))
    assert probe(made["video"]).extent == Extent(320, 240)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a red lighthouse, slow zoom in", "a red lighthouse"),
        ("медленный наезд, 3 секунды", "The camera slowly moves forward."),
    ],
)
async def test_positive_prompt_is_never_empty(comfyui: ComfyUI, text: str, said: str):
    graph = {
        "2": node("PromptReelScene", text=text, negative=""),
        "3": node("PreviewAny", source=["2", 1]),
    }
    assert (await play(comfyui, graph)).outputs["3"]["text"] == [said]


async def test_blank_text_says_what_to_do(comfyui: ComfyUI):
    done = await play(comfyui, camera_motion(image="land.png", text=" \n"))
    assert done.status == "error"
    assert done.error.startswith("The text is empty")


@pytest.mark.parametrize("prefix", ["../x", "/x", "a/../../b", "C:\\x", "\u044f" * 150])
async def test_result_stays_in_the_output_folder(comfyui: ComfyUI, prefix: str):
    done = await play(comfyui, _resized(64, 48, prefix))
    assert "The file name" in done.error
    assert str(comfyui.base) not in done.error
