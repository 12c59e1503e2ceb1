"""The Still node: the picture as the video will show it, before anything moves."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from comfy_api.latest import io
from PIL import Image, ImageOps

from ..engine import limits
from ..engine.errors import ParameterError
from ..engine.look import LOOKS, grade
from ..engine.values import Extent, Picture, Scene
from .progress import Progress
from .request import frame_of
from .schema import SceneType, schema
from .tensors import image_of, pictures

BY_TEXT, NO_LOOK = "as the text says", "none"
WHOLE, FILL = "whole", "fill"


class Still(io.ComfyNode):
    """Grades the picture as the scene asks and, if told, cuts it to the frame."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        """Declare: pictures in, as many pictures out."""
        return schema(
            "PromptReelStill",
            [
                io.Image.Input("image"),
                SceneType.Input("scene"),
                io.Combo.Input("look", options=looks(), default=BY_TEXT),
                io.Combo.Input("framing", options=[WHOLE, FILL], default=WHOLE),
                io.Int.Input("width", default=1280, min=16, max=limits.MAX_SIDE, step=2),
                io.Int.Input("height", default=720, min=16, max=limits.MAX_SIDE, step=2),
                io.Mask.Input("mask", optional=True),
            ],
            [io.Image.Output()],
        )

    @classmethod
    def execute(
        cls,
        image: torch.Tensor,
        scene: Scene,
        look: str,
        framing: str,
        width: int,
        height: int,
        mask: torch.Tensor | None = None,
    ) -> io.NodeOutput:
        """Make each picture of the batch."""
        frame = _frame(framing, frame_of(width, height))
        chosen = _chosen(look, scene)
        count = image.shape[0]
        made = (grade(_framed(picture, frame), chosen) for picture in pictures(image, mask))
        return io.NodeOutput(image_of(Progress(count).counted(made, count), count))


def looks() -> list[str]:
    """Return the choices of the look's widget."""
    return [BY_TEXT, NO_LOOK, *LOOKS]


def _chosen(look: str, scene: Scene) -> Sequence[str]:
    if look not in looks():
        raise ParameterError(f"Unknown look {look!r}: use one of {', '.join(looks())}.")
    return {BY_TEXT: scene.looks, NO_LOOK: ()}.get(look, (look,))


def _frame(framing: str, frame: Extent) -> Extent | None:
    """Return the size to cut to, or None to keep the whole picture."""
    if framing not in (WHOLE, FILL):
        raise ParameterError(f"Unknown framing {framing!r}: use {WHOLE} or {FILL}.")
    return frame if framing == FILL else None


def _framed(picture: Picture, frame: Extent | None) -> Picture:
    if frame is None:
        return picture
    size = (frame.width, frame.height)
    return np.array(ImageOps.fit(Image.fromarray(picture), size, Image.Resampling.LANCZOS))
