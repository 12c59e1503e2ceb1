"""A loaded model as one value, and the two nodes that join its parts and take it apart again.

Both nodes only appear in expansions: a loader node becomes ComfyUI's own loaders and a
ModelBundle, so that ComfyUI caches the models and every consumer shares them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from comfy_api.latest import io

from ..families.base import Builder, Link, Parts
from ..families.take import Chosen
from .schema import schema

VideoModel = io.Custom("PROMPTREEL_VIDEO_MODEL")
ImageModel = io.Custom("PROMPTREEL_IMAGE_MODEL")

ROLES = tuple(field.name for field in fields(Parts))
TYPES = {
    "model": io.Model,
    "low": io.Model,
    "clip": io.Clip,
    "vae": io.Vae,
    "clip_vision": io.ClipVision,
}


@dataclass(frozen=True, eq=False)
class Bundle:
    """A loaded model: what was chosen, and the loaded things by role."""

    chosen: Chosen
    loaded: Mapping[str, Any]


class ModelBundle(io.ComfyNode):
    """Joins what ComfyUI's loaders gave."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        """Declare: the parts in, one value out."""
        parts = [TYPES[role].Input(role, optional=role != "model") for role in ROLES]
        outputs = [io.AnyType.Output()]
        return schema(
            "PromptReelModelBundle", [io.String.Input("chosen"), *parts], outputs, internal=True
        )

    @classmethod
    def execute(cls, chosen: str, **parts: object) -> io.NodeOutput:
        """Join them."""
        loaded = {role: part for role, part in parts.items() if part is not None}
        return io.NodeOutput(Bundle(Chosen.of(chosen), loaded))


class ModelParts(io.ComfyNode):
    """Takes a bundle apart; an output of what the family lacks is empty."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        """Declare: one value in, the parts out."""
        outputs = [TYPES[role].Output() for role in ROLES]
        return schema("PromptReelModelParts", [io.AnyType.Input("bundle")], outputs, internal=True)

    @classmethod
    def execute(cls, bundle: Bundle) -> io.NodeOutput:
        """Take it apart."""
        return io.NodeOutput(*(bundle.loaded.get(role) for role in ROLES))


def joined(graph: Builder, chosen: Chosen, parts: Parts) -> Link:
    """Add the node that joins loaded parts."""
    links = {role: getattr(parts, role) for role in ROLES}
    given = {role: link for role, link in links.items() if link is not None}
    return graph.node("PromptReelModelBundle", chosen=chosen.text(), **given).out(0)


def parted(graph: Builder, bundle: Bundle, link: Link) -> Parts:
    """Add the node that takes the bundle at `link` apart."""
    node = graph.node("PromptReelModelParts", bundle=link)
    places = {role: node.out(place) for place, role in enumerate(ROLES)}
    return Parts(**{role: place for role, place in places.items() if role in bundle.loaded})
