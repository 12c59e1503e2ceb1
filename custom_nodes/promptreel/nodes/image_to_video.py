"""The ImageToVideo node: a loaded model, a start picture and a scene become a VIDEO.

It becomes the family's graph of ComfyUI's own nodes, so that caching, previews, progress, Cancel
and memory stay ComfyUI's. What can't be is refused before the model is loaded.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from comfy_api.latest import io
from comfy_execution.graph_utils import GraphBuilder

from ..engine import limits
from ..engine.values import Scene
from ..families import FAMILIES
from ..families.base import Family, Sampling, Shoot
from ..families.take import Chosen, Wish, take, tuned
from .bundle import Bundle, VideoModel, parted
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


class ImageToVideo(io.ComfyNode):
    """Any video model of the pack, by one node."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        """Declare: a model, pictures and a scene in; the VIDEO, its frames and its start out."""
        return schema(
            "PromptReelImageToVideo",
            [
                VideoModel.Input("model", lazy=True),
                io.Image.Input("image"),
                SceneType.Input("scene"),
                *size_inputs(),
                io.Float.Input("seconds", default=0.0, min=0.0, max=limits.MAX_SECONDS, step=0.1),
                io.Float.Input("fps", default=0.0, min=0.0, max=float(limits.MAX_FPS), step=0.01),
                seed_input(),
                io.Image.Input("end_image", optional=True),
                *knob_inputs(),
            ],
            [io.Video.Output(), io.Image.Output(), io.Image.Output()],
            hidden=HIDDEN,
            expands=True,
        )

    @classmethod
    def check_lazy_status(cls, **wanted: Any) -> list[str]:  # noqa: ANN401  any input
        """Refuse what the family can't do while its model is not loaded yet, then ask for it."""
        check_bounds(wanted)
        found = linked_loader(cls.hidden, FAMILIES)
        if found:
            family, chosen = found
            take(family, chosen, _wish(wanted))
            _sampling(family, chosen, wanted)
        return ["model"]

    @classmethod
    def execute(
        cls,
        model: Bundle,
        image: torch.Tensor,
        scene: Scene,
        seed: int,
        **wanted: Any,  # noqa: ANN401
    ) -> io.NodeOutput:
        """Become the family's graph, and say what it will make."""
        check_bounds({**wanted, "seed": seed})
        family, end_image = FAMILIES[model.chosen.family], wanted.get("end_image")
        made = take(family, model.chosen, _wish({**wanted, "image": image, "scene": scene}))
        graph, links, size = GraphBuilder(), own_inputs(cls.hidden), (made.width, made.height)
        start = fitted(graph, links["image"], image, size)
        sampling = _sampling(family, model.chosen, wanted)
        spoken = said(family, scene, sampling.cfg)
        asked = Shoot(
            positive=spoken.positive,
            negative=spoken.negative,
            width=made.width,
            height=made.height,
            frames=made.frames,
            fps=made.fps,
            seed=seed,
            sampling=sampling,
            start=start,
            end=None if end_image is None else fitted(graph, links["end_image"], end_image, size),
        )
        frames = family.shoot(graph, parted(graph, model, links["model"]), asked)
        video = graph.node("CreateVideo", images=frames, fps=made.fps).out(0)
        told = {"text": [*made.lines(), *spoken.remarks]}
        return io.NodeOutput(video, frames, start, ui=told, expand=graph.finalize())


def _wish(wanted: Mapping[str, Any]) -> Wish:
    """Return what the inputs ask for; a length of 0 is the scene's, if its text says one."""
    fps = wanted["fps"]
    return Wish(
        picture=extent_of(wanted["image"]),
        width=wanted["width"],
        height=wanted["height"],
        seconds=_seconds(wanted["seconds"], wanted["scene"]),
        fps=float(limits.check_fps(fps)) if fps else 0.0,
        ends=wanted.get("end_image") is not None,
    )


def _sampling(family: Family, chosen: Chosen, wanted: Mapping[str, Any]) -> Sampling:
    ends = wanted.get("end_image") is not None
    return tuned(family, family.sampling(chosen.files, chosen.options, ends), knobs(wanted))


def _seconds(widget: float, scene: Scene) -> float:
    """Return the widget's length, else what the text asks for, however long.

    A widget that is linked to a Request has the text's length, cut to what a video may have.
    """
    if widget and widget != scene.seconds:
        return limits.check_seconds(widget)
    return scene.asked_seconds or scene.seconds or 0.0
