"""The Keyframe node: a picture and words become the still that a video starts from.

It becomes the graph of ComfyUI's own nodes of whichever image model is connected.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from comfy_api.latest import io
from comfy_execution.graph_utils import GraphBuilder

from ..engine.errors import ParameterError
from ..engine.values import Scene
from ..families import KEYFRAMES
from ..families.base import STRENGTHS, Drawing, KeyframeFamily, Sampling
from ..families.take import Chosen, Wish, extent, sized, tuned
from .bundle import Bundle, ImageModel, parted
from .expansion import (
    HIDDEN,
    check_bounds,
    extent_of,
    fitted,
    knob_inputs,
    knobs,
    linked_loader,
    own_inputs,
    said,
    seed_input,
    size_inputs,
)
from .schema import SceneType, schema


class Keyframe(io.ComfyNode):
    """Any image model of the pack, by one node."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        """Declare: a model, a picture and a scene in; a picture out."""
        return schema(
            "PromptReelKeyframe",
            [
                ImageModel.Input("model", lazy=True),
                io.Image.Input("image"),
                SceneType.Input("scene"),
                io.Combo.Input("strength", options=list(STRENGTHS), default=STRENGTHS[1]),
                *size_inputs(),
                seed_input(),
                *knob_inputs(),
            ],
            [io.Image.Output()],
            hidden=HIDDEN,
            expands=True,
        )

    @classmethod
    def check_lazy_status(cls, **wanted: Any) -> list[str]:  # noqa: ANN401  any input
        """Refuse what the family can't do while its model is not loaded yet, then ask for it."""
        check_bounds(wanted)
        found = linked_loader(cls.hidden, KEYFRAMES)
        if found:
            family, chosen = found
            _strength(family, wanted["strength"])
            _sampling(family, chosen, wanted)
        return ["model"]

    @classmethod
    def execute(
        cls,
        model: Bundle,
        image: torch.Tensor,
        scene: Scene,
        strength: str,
        seed: int,
        **wanted: Any,  # noqa: ANN401
    ) -> io.NodeOutput:
        """Become the family's graph, and say what it will make."""
        check_bounds({**wanted, "seed": seed})
        family, chosen = KEYFRAMES[model.chosen.family], model.chosen
        sizes = family.limits(chosen.files, chosen.options, chosen.kinds)
        wish = Wish(extent_of(image), wanted["width"], wanted["height"])
        width, height = extent(sizes, wish)
        graph, links = GraphBuilder(), own_inputs(cls.hidden)
        sampling = _sampling(family, chosen, wanted)
        spoken = said(family, scene, sampling.cfg, strength)
        asked = Drawing(
            positive=spoken.positive,
            negative=spoken.negative,
            width=width,
            height=height,
            seed=seed,
            strength=_strength(family, strength),
            sampling=sampling,
            image=fitted(graph, links["image"], image, (width, height)),
        )
        drawn = family.draw(graph, parted(graph, model, links["model"]), asked)
        remarks = sized(family, sizes, wish, (width, height))
        told = [f"{width}x{height}", *remarks, *spoken.remarks]
        return io.NodeOutput(drawn, ui={"text": told}, expand=graph.finalize())


def _strength(family: KeyframeFamily, word: str) -> float:
    if word not in family.strengths:
        known = ", ".join(family.strengths)
        raise ParameterError(f"Unknown strength {word!r}: use one of {known}.")
    return family.strengths[word]


def _sampling(family: KeyframeFamily, chosen: Chosen, wanted: Mapping[str, Any]) -> Sampling:
    official = family.sampling(chosen.files, chosen.options, chosen.kinds)
    return tuned(family, official, knobs(wanted))
