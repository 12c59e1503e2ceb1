"""What the model nodes become on the server is what the families say, value by value.

(That the families say what the official graphs say is `tests/families`.)
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from promptreel.families import FAMILIES
from promptreel.families.base import Options, Shoot
from promptreel.families.plain import PlainGraph

from tests.e2e.comfyui_play import play
from tests.e2e.comfyui_server import ComfyUI
from tests.e2e.landscape import landscape, save
from tests.e2e.model_graphs import (
    OUTSIDE,
    Told,
    frames,
    image_to_video,
    loaded,
    loader,
    plain_tree,
    scaled,
    spoken,
    telling,
)
from tests.e2e.pack_graphs import node


@pytest.fixture(autouse=True)
async def _forgotten(comfyui: ComfyUI) -> None:
    """Run something else: ComfyUI then forgets the last graph, so that loaders expand again."""
    save(comfyui.input_dir / "land.png", landscape(320, 240))
    await play(comfyui, telling({"1": node("LoadImage", image="land.png")}, ["1", 0]))


def _video(name: str, loads: dict[str, Any], ends: bool, **changed: Any) -> PlainGraph:
    """The family's own graph for half a second of 128x64 with seed 1; its CreateVideo is "end"."""
    family, graph = FAMILIES[name], PlainGraph()
    chosen = loader(name, **loads)["inputs"]
    options = Options(fast=chosen.pop("fast", False))
    limits, said = family.limits(chosen, options), spoken(family)
    asked = Shoot(
        positive=said.positive,
        negative=said.negative,
        width=128,
        height=64,
        frames=limits.frames(0.5),
        fps=limits.fps,
        seed=1,
        sampling=replace(family.sampling(chosen, options, ends), **changed),
        start=scaled(graph, [f"{OUTSIDE}1", 0], 128, 64),
        end=scaled(graph, [f"{OUTSIDE}6", 0], 128, 64) if ends else None,
    )
    made = family.shoot(graph, loaded(graph, name, loads), asked)
    graph.node("CreateVideo", id="end", images=made, fps=limits.fps)
    return graph


FLF = {"model": "wan2.1_flf2v_720p_14B_fp16.safetensors"}
VIDEOS = {
    "wan22": ("wan2.2-i2v-14b", {}, False),
    "wan22-end": ("wan2.2-i2v-14b", {}, True),
    "wan22-5b": ("wan2.2-ti2v-5b", {}, False),
    "wan21": ("wan2.1-i2v", {}, False),
    "wan21-end": ("wan2.1-i2v", FLF, True),
    "hunyuan15": ("hunyuan-video-1.5", {}, False),
    "ltxv": ("ltx-video", {}, False),
    "cosmos2": ("cosmos-predict2", {}, False),
    "cosmos2-end": ("cosmos-predict2", {}, True),
    "svd": ("svd", {}, False),
}


@pytest.mark.parametrize(("family", "loads", "ends"), VIDEOS.values(), ids=VIDEOS.keys())
async def test_video_graph_is_the_familys(
    comfyui: ComfyUI, family: str, loads: dict[str, Any], ends: bool
):
    graph = image_to_video(family, loads=loads)
    if ends:
        graph["6"] = node("ImageInvert", image=["1", 0])
        graph["4"]["inputs"]["end_image"] = ["6", 0]
    done = await play(comfyui, telling(graph, ["4", 0]))
    assert done.status == "success", done.error
    told = Told.of(done)
    plain = _video(family, loads, ends, steps=2)
    assert told.tree([told.inside("4", "CreateVideo"), 0]) == plain_tree(plain.nodes, ["end", 0])


async def test_untouched_widgets_keep_the_official_values(comfyui: ComfyUI):
    graph = image_to_video("wan2.2-i2v-14b", loads={"fast": True}, steps=0)
    told = Told.of(await play(comfyui, telling(graph, ["4", 0])))
    plain = _video("wan2.2-i2v-14b", {"fast": True}, ends=False)
    assert told.tree([told.inside("4", "CreateVideo"), 0]) == plain_tree(plain.nodes, ["end", 0])


async def test_advanced_widgets_replace_the_official_values(comfyui: ComfyUI):
    changed = {"steps": 3, "cfg": 2.0, "sampler": "heun", "scheduler": "beta", "shift": 3.5}
    graph = image_to_video("wan2.1-i2v", **changed)
    told = Told.of(await play(comfyui, telling(graph, ["4", 0])))
    plain = _video("wan2.1-i2v", {}, ends=False, **changed)
    assert told.tree([told.inside("4", "CreateVideo"), 0]) == plain_tree(plain.nodes, ["end", 0])


async def test_shift_changes_another_schedule_of_ltx_too(comfyui: ComfyUI):
    made = []
    for shift in (0.5, 4.0):
        graph = image_to_video("ltx-video", scheduler="simple", shift=shift, steps=3)
        made.append(frames(comfyui, await play(comfyui, graph))[0])
    assert not np.array_equal(*made)
