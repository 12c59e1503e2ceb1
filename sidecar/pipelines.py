"""Pipelines: a ComfyUI graph and what it takes to run it. Loading, checking, binding: pure.

Must not know HTTP or ComfyUI's protocol.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .values import Json


@dataclass(frozen=True)
class Param:
    """One parameter of a pipeline: type is "string", "integer", "number", "boolean" or "enum"."""

    name: str
    type: str
    default: Any = None
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[str, ...] = ()
    help: str = ""


@dataclass(frozen=True)
class ModelFile:
    """A model file that a pipeline needs. `folder` is ComfyUI's models folder name."""

    name: str
    folder: str
    size: int | None = None  # bytes
    licence: str = ""
    source: str = ""  # where to download it
    sha256: str = ""


@dataclass(frozen=True)
class Slot:
    """A place in the graph: one widget of one node."""

    node: str
    input: str


@dataclass(frozen=True)
class Pipeline:
    """A graph that can be run, with its parameters mapped onto it.

    `mapping`: parameter name ("image", "text", "seed", ...) to the widgets it fills.
    `image_output` / `video_output`: the nodes whose files are the answer (None: the Result's).
    """

    name: str
    title: str
    description: str
    graph: Mapping[str, Json]
    params: tuple[Param, ...]
    mapping: Mapping[str, tuple[Slot, ...]]
    nodes: tuple[str, ...]  # node classes it needs
    models: tuple[ModelFile, ...] = ()
    image_output: str | None = None
    video_output: str | None = None
    requires_comfyui: str = ""
    extra: Json = field(default_factory=dict[str, Any])
