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
    left_to_text,
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
            take(family, chosen, _wish(wanted, left_to_text(cls.hidden)))
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
        asks = {**wanted, "image": image, "scene": scene}
        wish = _wish(asks, left_to_text(cls.hidden))
        made = take(family, model.chosen, wish)
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


def _wish(wanted: Mapping[str, Any], by_text: bool) -> Wish:
    """Return what the inputs ask for; a length of 0 is the scene's, if its text says one."""
    fps, scene = wanted["fps"], wanted["scene"]
    seconds = _seconds(wanted["seconds"], scene, by_text)
    return Wish(
        picture=extent_of(wanted["image"]),
        width=wanted["width"],
        height=wanted["height"],
        seconds=seconds,
        asked=scene.asked_seconds or 0.0 if seconds == scene.seconds else 0.0,
        fps=float(limits.check_fps(fps)) if fps else 0.0,
        ends=wanted.get("end_image") is not None,
    )


def _sampling(family: Family, chosen: Chosen, wanted: Mapping[str, Any]) -> Sampling:
    ends = wanted.get("end_image") is not None
    return tuned(family, family.sampling(chosen.files, chosen.options, ends), knobs(wanted))


def _seconds(widget: float, scene: Scene, by_text: bool) -> float:
    """Return the widget's length, else the scene's, else 0: nobody says one.

    A widget that has it `by_text` holds the Request's default where the text says none.
    """
    if by_text and scene.seconds is None and widget == limits.DEFAULT_SECONDS:
        return 0.0
    return limits.check_seconds(widget) if widget else scene.seconds or 0.0
