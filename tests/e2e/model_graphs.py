"""Graphs with the model nodes for the tests: small, quick, and with the tiny checkpoints."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import av
import numpy as np
from PIL import Image
from promptreel.engine.scene import parse_scene
from promptreel.families import FAMILIES, KEYFRAMES
from promptreel.families.base import Builder, Link, Model, Options, Parts
from promptreel.families.prompts import Spoken, speak

from tests.e2e.comfyui_play import Graph, Play
from tests.e2e.comfyui_server import ComfyUI
from tests.e2e.pack_graphs import files, node

LOADERS = {name: model.node_id for name, model in {**FAMILIES, **KEYFRAMES}.items()}
BUNDLE, PARTS = "PromptReelModelBundle", "PromptReelModelParts"
OUTSIDE = "outside:"
ROLES = ("model", "vae", "clip", "low", "clip_vision")  # ModelParts' outputs, in order
TEXT = "a lighthouse above the waves, slow push in"


def loader(family: str, **widgets: Any) -> dict[str, Any]:
    """A family's loader node with the first official file in every slot."""
    model = {**FAMILIES, **KEYFRAMES}[family]
    official = {slot.role: slot.official[0].name for slot in model.slots}
    return node(model.node_id, **{**official, **widgets})


def image_to_video(family: str, *, loads: Mapping[str, Any] | None = None, **wanted: Any) -> Graph:
    """Request "1", Scene "2", loader "3", ImageToVideo "4", Result "5".

    `wanted` are inputs of the Request (image, text, seed) and of ImageToVideo (all others). A width
    of 128: some kernels of torch round rows of odd lengths differently each time.
    """
    asked = {"image": "land.png", "text": TEXT, "negative": "", "seed": 1, "seconds": 0.0}
    asked |= {"aspect": "source", "resolution": "480p", "fps": 24.0}
    asked |= {name: wanted.pop(name) for name in ("image", "text", "seed") if name in wanted}
    quick = {"width": 128, "height": 64, "seconds": 0.5, "fps": 0.0, "steps": 2}
    links = {"model": ["3", 0], "image": ["1", 0], "scene": ["2", 0], "seed": ["1", 2]}
    return {
        "1": node("PromptReelRequest", **asked),
        "2": node("PromptReelScene", text=["1", 1], negative=["1", 7]),
        "3": loader(family, **(loads or {})),
        "4": node("PromptReelImageToVideo", **{**quick, **links, **wanted}),
        "5": node("PromptReelResult", video=["4", 0], image=["4", 2], filename_prefix="models/x"),
    }


def keyframe(family: str, *, loads: Mapping[str, Any] | None = None, **wanted: Any) -> Graph:
    """LoadImage "1", Scene "2", loader "3", Keyframe "4", SaveImage "5"."""
    image, text = wanted.pop("image", "land.png"), wanted.pop("text", TEXT)
    quick = {"strength": "restyle", "width": 128, "height": 64, "seed": 1, "steps": 2}
    links = {"model": ["3", 0], "image": ["1", 0], "scene": ["2", 0]}
    return {
        "1": node("LoadImage", image=image),
        "2": node("PromptReelScene", text=text, negative=""),
        "3": loader(family, **(loads or {})),
        "4": node("PromptReelKeyframe", **{**quick, **links, **wanted}),
        "5": node("SaveImage", images=["4", 0], filename_prefix="models/still"),
    }


def frames(comfyui: ComfyUI, done: Play) -> tuple[np.ndarray, float]:
    """The decoded frames (count, height, width, 3) of the Result "5", and their rate."""
    with av.open(str(files(comfyui, done)["video"])) as container:
        rate = float(container.streams.video[0].average_rate or 0)
        shown = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    return np.stack(shown), rate


def still(comfyui: ComfyUI, done: Play) -> np.ndarray:
    """The picture (height, width, 3) that SaveImage "5" has saved."""
    assert done.status == "success", done.error
    (named,) = done.outputs["5"]["images"]
    with Image.open(comfyui.output_dir / named["subfolder"] / named["filename"]) as picture:
        return np.asarray(picture.convert("RGB"))


def ran(done: Play) -> set[str]:
    """The ids of the nodes that were executed, inside of expansions too."""
    return {data["node"] for data in done.data("executing") if data["node"]}


def cached(done: Play) -> set[str]:
    """The ids of the graph's nodes that were not executed again."""
    return {name for data in done.data("execution_cached") for name in data["nodes"]}


@dataclass(frozen=True)
class Told:
    """The graph that the server really ran, from the ToldGraph node "9"."""

    nodes: dict[str, dict[str, Any]]
    parents: dict[str, str | None]

    @staticmethod
    def of(done: Play) -> Told:
        said = json.loads(done.outputs["9"]["graph"][0])
        return Told(said["nodes"], said["parents"])

    def inside(self, parent: str, class_type: str) -> str:
        """The one node of a class that a node has become."""
        (found,) = (
            name
            for name, node in self.nodes.items()
            if self.parents[name] == parent and node["class_type"] == class_type
        )
        return found

    def tree(self, link: Any) -> Any:
        """A link as (class, output, inputs) all the way down: independent of ids.

        A bundle is looked through; nodes of the graph itself are leaves.
        """
        if not is_link(link):
            return link
        name, output = link
        if self.parents.get(name) is None:
            return (name.removeprefix(OUTSIDE), output)
        node = self.nodes[name]
        if node["class_type"] == PARTS:
            bundle = self.inside(node["inputs"]["bundle"][0], BUNDLE)
            return self.tree(self.nodes[bundle]["inputs"][ROLES[output]])
        inputs = {key: self.tree(value) for key, value in node["inputs"].items()}
        return (node["class_type"], output, inputs)


def plain_tree(nodes: Mapping[str, dict[str, Any]], link: Any) -> Any:
    """The same of a plain graph; OUTSIDE begins the names of nodes that are not its own."""
    return Told(dict(nodes), dict.fromkeys(nodes, "plain")).tree(link)


def is_link(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 2 and isinstance(value[0], str)


def telling(graph: Graph, link: Link) -> Graph:
    """The graph with a ToldGraph "9" after a link."""
    return {**graph, "9": node("ToldGraph", after=link)}


def scaled(graph: Builder, link: Link, width: int, height: int) -> Link:
    """What the pack does to a picture before a family's graph sees it."""
    inputs = {"width": width, "height": height, "crop": "center"}
    return graph.node("ImageScale", image=link, upscale_method="lanczos", **inputs).out(0)


def loaded(graph: Builder, family: str, loads: Mapping[str, Any]) -> Parts:
    """A family's loaders in a plain graph, set as the loader node is."""
    model = {**FAMILIES, **KEYFRAMES}[family]
    widgets = loader(family, **loads)["inputs"]
    switches = {name: widgets.pop(name) for name in ("fast", "weight_dtype") if name in widgets}
    return model.load(graph, widgets, Options(**switches))


def spoken(family: Model, strength: str | None = None) -> Spoken:
    """What a family is told of TEXT."""
    scene = parse_scene(TEXT, "")
    shots = [[(move.kind, move.strength) for move in shot.moves] for shot in scene.shots]
    return speak(family, scene.prompt, shots, scene.looks, scene.negative, strength)
