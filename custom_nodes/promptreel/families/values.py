"""The values that families are described with and asked by. Knows no family and no node.

A link is what a builder's node gives for one of its outputs, or a raw one such as ["12", 0].
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

Link = Any


class Node(Protocol):
    """A node that has been put into a graph."""

    def out(self, index: int) -> Link:
        """Return the link to the node's output number `index`."""
        ...


class Builder(Protocol):
    """Collects a graph. ComfyUI's `GraphBuilder` and `plain.PlainGraph` are builders."""

    def node(self, class_type: str, id: str | None = None, **kwargs: Any) -> Node:  # noqa: A002, ANN401
        """Add a node of a class with its inputs (values or links) and return it."""
        ...


@dataclass(frozen=True)
class ModelFile:
    """One row of `data/models.json`, the only place where a file's facts stand.

    `bytes`, `licence` and `source` (a download address) are None where nothing official tells them.
    """

    name: str
    folder: str
    bytes: int | None
    licence: str | None
    source: str | None


@dataclass(frozen=True)
class Slot:
    """One file that a loader asks for.

    `role` is the widget's id, `folder` ComfyUI's model folder, `official` the files that are
    preselected, in this order, where present. An optional slot may stay empty (`Model.needed`).
    """

    role: str
    folder: str
    official: tuple[ModelFile, ...]
    optional: bool = False


@dataclass(frozen=True)
class Options:
    """A loader's switches. `weight_dtype` is the core loader's; `fast` the few-step LoRA."""

    weight_dtype: str = "default"
    fast: bool = False


@dataclass(frozen=True)
class Sampling:
    """How a sampler is set. A scheduler of "" is the family's own; shift None: it has none."""

    steps: int
    cfg: float
    sampler: str
    scheduler: str
    shift: float | None = None


@dataclass(frozen=True)
class Parts:
    """Links to what a loader's expansion loaded. `low` is the second expert of Wan 2.2."""

    model: Link
    vae: Link
    clip: Link | None = None
    low: Link | None = None
    clip_vision: Link | None = None


@dataclass(frozen=True)
class Shoot:
    """What is asked of a family's graph; sizes and counts are legal already.

    `start` and `end` are links to IMAGEs of exactly `width` x `height`.
    """

    positive: str
    negative: str
    width: int
    height: int
    frames: int
    fps: float
    seed: int
    sampling: Sampling
    start: Link
    end: Link | None = None


@dataclass(frozen=True)
class Drawing:
    """What is asked of a keyframe family; `strength` is the share of noise, 0..1.

    `image` is a link to an IMAGE of exactly `width` x `height`.
    """

    positive: str
    negative: str
    width: int
    height: int
    seed: int
    strength: float
    sampling: Sampling
    image: Link
