"""Every image family on a real ComfyUI: picture and words become a still, and the still a video."""

from __future__ import annotations

import shutil
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from promptreel.families import KEYFRAMES
from promptreel.families.base import Drawing, Options
from promptreel.families.plain import PlainGraph

from tests.e2e.comfyui_play import Play, play
from tests.e2e.comfyui_server import ComfyUI
from tests.e2e.landscape import landscape, save
from tests.e2e.model_graphs import (
    OUTSIDE,
    Told,
    cached,
    frames,
    image_to_video,
    keyframe,
    loaded,
    loader,
    plain_tree,
    ran,
    scaled,
    spoken,
    still,
    telling,
)
from tests.tiny_models.models import tiny_models

SD15 = {"checkpoint": "v1-5-pruned-emaonly-fp16.safetensors"}
CASES = {
    "sdxl": ("sd", {}),
    "sd15": ("sd", SD15),
    "kontext": ("flux-kontext", {}),
    "qwen-edit": ("qwen-edit-2509", {}),
}


@pytest.fixture(scope="module", autouse=True)
def _pictures(comfyui: ComfyUI) -> None:
    save(comfyui.input_dir / "land.png", landscape(320, 240))
    save(comfyui.input_dir / "other.png", 255 - landscape(320, 240, seed=8))


def _drawn(name: str, loads: dict[str, Any]) -> Any:
    """The family's own graph for TEXT at 128x64 with seed 1, as a tree."""
    family, graph = KEYFRAMES[name], PlainGraph()
    chosen, said = loader(name, **loads)["inputs"], spoken(family, "restyle")
    asked = Drawing(
        positive=said.positive,
        negative=said.negative,
        width=128,
        height=64,
        seed=1,
        strength=family.strengths["restyle"],
        sampling=replace(family.sampling(chosen, Options()), steps=2),
        image=scaled(graph, [f"{OUTSIDE}1", 0], 128, 64),
    )
    drawn = family.draw(graph, loaded(graph, name, loads), asked)
    return plain_tree(graph.nodes, drawn)


def test_no_family_is_left_out():
    assert {family for family, _ in CASES.values()} == KEYFRAMES.keys()


@pytest.mark.parametrize(("family", "loads"), CASES.values(), ids=CASES.keys())
async def test_keyframe(comfyui: ComfyUI, family: str, loads: dict[str, Any]):
    async def drawn(**wanted: Any) -> tuple[np.ndarray, Play]:
        graph = telling(keyframe(family, loads=loads, **wanted), ["4", 0])
        done = await play(comfyui, graph)
        return still(comfyui, done), done

    first, done = await drawn(seed=1)
    assert first.shape == (64, 128, 3)
    assert first.std() > 5, "a flat picture would prove nothing"
    told = Told.of(done)
    assert told.tree([told.inside("4", "VAEDecode"), 0]) == _drawn(family, loads)
    other, done = await drawn(seed=2)
    assert not np.array_equal(first, other)
    assert "3" in cached(done)
    assert not [name for name in ran(done) if name.partition(".")[0] == "3"]
    again, _ = await drawn(seed=1)
    assert np.array_equal(first, again)


@pytest.mark.parametrize("family", ["sd", "flux-kontext"])
async def test_words_and_picture_decide_the_keyframe(comfyui: ComfyUI, family: str):
    async def drawn(**wanted: Any) -> np.ndarray:
        return still(comfyui, await play(comfyui, keyframe(family, **wanted)))

    first = await drawn()
    assert not np.array_equal(first, await drawn(text="a red fox in the snow"))
    assert not np.array_equal(first, await drawn(image="other.png"))


async def test_strength_in_plain_words_decides_how_much_is_kept(comfyui: ComfyUI):
    kept, new = [
        still(comfyui, await play(comfyui, keyframe("sd", strength=word, steps=10)))
        for word in ("keep the picture", "reinvent")
    ]
    assert not np.array_equal(kept, new)
    done = await play(comfyui, keyframe("sd", strength="a bit"))
    assert done.error == (
        "Unknown strength 'a bit': use one of keep the picture, retouch, restyle, reinvent."
    )


@pytest.mark.parametrize(
    ("official", "name", "size"),
    [
        ("sd_xl_base_1.0.safetensors", "dreams.safetensors", "1184x888"),
        (SD15["checkpoint"], "pixlart.safetensors", "592x440"),
    ],
)
async def test_kind_is_told_by_the_header_whatever_the_name(
    comfyui: ComfyUI, official: str, name: str, size: str
):
    place = comfyui.base / "models" / "checkpoints" / name
    place.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(tiny_models(comfyui.installation) / "checkpoints" / official, place)
    whole = {"width": 0, "height": 0, "steps": 1}  # a large picture: a step of it takes seconds
    done = await play(comfyui, keyframe("sd", loads={"checkpoint": name}, **whole))
    assert done.status == "success", done.error
    assert done.outputs["4"]["text"][0] == size


async def test_keyframe_then_video_in_one_graph(comfyui: ComfyUI):
    """The chain that `sdxl-to-wan2.2` runs: the still is the video's first frame."""
    graph = image_to_video("wan2.2-i2v-14b")
    drawing = keyframe("sd", loads=SD15, width=0, height=64)
    graph |= {"6": drawing["3"], "7": drawing["4"]}
    links = {"model": ["6", 0], "image": ["1", 0], "scene": ["2", 0], "seed": ["1", 2]}
    graph["7"]["inputs"] |= links
    graph["4"]["inputs"]["image"] = ["7", 0]
    done = await play(comfyui, graph)
    made, rate = frames(comfyui, done)
    assert (made.shape, rate) == ((9, 64, 128, 3), 16)
    assert done.outputs["7"]["text"][0] == "88x64"
