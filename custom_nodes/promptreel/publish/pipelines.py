"""Pipelines: a ComfyUI graph and what it takes to run it. Checking and binding: pure.

Must not know HTTP, files or ComfyUI's protocol (`manifest` reads the folders).
"""

from __future__ import annotations

import copy
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass

from .params import Param, WrongValue, parse
from .values import Json

IMAGE, TEXT = "image", "text"


@dataclass(frozen=True)
class ModelFile:
    """A model file that a pipeline needs.

    `name`: as the graph names it; with a subfolder: "sub/file.safetensors". `folder`: ComfyUI's
    present name of the models folder ("diffusion_models", never the older "unet").
    """

    name: str
    folder: str
    size: int | None = None  # bytes
    licence: str = ""
    source: str = ""  # where to download it
    sha256: str = ""  # 64 hexadecimal digits, small letters


@dataclass(frozen=True)
class Slot:
    """A place in the graph: one widget of one node."""

    node: str
    input: str


@dataclass(frozen=True)
class Pipeline:
    """A graph that can be run, with its parameters mapped onto it.

    `mapping`: parameter name ("image", "text", "seed", ...) to the widgets it fills. `params` are
    the further ones, "image" and "text" always belong to it.
    `image_output` / `video_output`: the nodes whose files are the answer; of a PromptReelResult its
    record tells. No image output: the video's first frame is the still.
    `rank`: where a request names no pipeline, the highest rank that runs there; 0: only by name.
    """

    name: str
    title: str
    description: str
    graph: Mapping[str, Json]
    params: tuple[Param, ...]
    mapping: Mapping[str, tuple[Slot, ...]]
    video_output: str
    nodes: tuple[str, ...]  # node classes it needs
    image_output: str | None = None
    models: tuple[ModelFile, ...] = ()
    requires_comfyui: str = ""
    rank: int = 0
    vram: str = ""  # as its makers tell it, for people


def typed(pipeline: Pipeline, raw: Mapping[str, str]) -> tuple[dict[str, object], dict[str, str]]:
    """Return the values, defaults included, that texts mean, and what is wrong by name.

    A parameter that is neither given nor has a default is left out. "text" is kept as it is.
    """
    params = {param.name: param for param in pipeline.params}
    values = {param.name: param.default for param in pipeline.params if param.default is not None}
    wrong: dict[str, str] = {}
    for name, text in raw.items():
        values[name] = text if name == TEXT else _parsed(params.get(name), name, text, wrong)
    return values, wrong


def _parsed(param: Param | None, name: str, text: str, wrong: dict[str, str]) -> object:
    """Return the typed value; take note in `wrong` if there is none."""
    if param is None:
        wrong[name] = "is unknown to this pipeline"
        return None
    try:
        return parse(param, text)
    except WrongValue as error:
        wrong[name] = str(error)
        return None


def bind(pipeline: Pipeline, params: Mapping[str, object]) -> dict[str, Json]:
    """Return the graph with the parameters in its widgets; nothing given is left as it was.

    A value only ever replaces a widget's value: a text stays one string whatever it holds. The
    names of output files get the graph's digest, so that two graphs never write under one name
    (ComfyUI's cache remembers names, and gives a deleted file's name away again).
    """
    graph = copy.deepcopy(dict(pipeline.graph))
    for name, value in params.items():
        for slot in pipeline.mapping.get(name, ()):
            graph[slot.node]["inputs"][slot.input] = value
    digest = hashlib.sha256(json.dumps(graph, sort_keys=True).encode()).hexdigest()[:8]
    for node in {pipeline.video_output, pipeline.image_output} - {None}:
        inputs = graph[str(node)]["inputs"]
        if isinstance(inputs.get("filename_prefix"), str):
            inputs["filename_prefix"] += f"_g{digest}"  # no number, or ComfyUI would count on
    return graph
