"""The Animate node: a still and a scene become a VIDEO that is rendered when it is saved."""

from __future__ import annotations

import torch
from comfy_api.latest import io

from ..engine import limits
from ..engine.clip import compose, first_frame
from ..engine.values import Scene
from .lazy_video import LazyVideo
from .request import MAX_SEED, chosen_seconds, fps_input, frame_of, seconds_input
from .schema import SceneType, schema
from .tensors import depth_of, first_picture, image_of


class Animate(io.ComfyNode):
    """Moves the camera over a picture. Renders nothing itself but the first frame."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        """Declare: a picture, a scene and a frame in; a VIDEO and its first frame out."""
        return schema(
            "PromptReelAnimate",
            [
                io.Image.Input("image"),
                SceneType.Input("scene"),
                io.Int.Input("width", default=1280, min=16, max=limits.MAX_SIDE, step=2),
                io.Int.Input("height", default=720, min=16, max=limits.MAX_SIDE, step=2),
                fps_input(),
                seconds_input(),
                io.Int.Input("seed", default=0, min=0, max=MAX_SEED),
                io.Image.Input("depth", optional=True),
            ],
            [io.Video.Output(), io.Image.Output()],
            hidden=[io.Hidden.unique_id],
        )

    @classmethod
    def execute(
        cls,
        image: torch.Tensor,
        scene: Scene,
        width: int,
        height: int,
        fps: float,
        seconds: float,
        seed: int,
        depth: torch.Tensor | None = None,
    ) -> io.NodeOutput:
        """Compose the clip of the batch's first picture: a VIDEO starts from one."""
        clip = compose(
            first_picture(image),
            scene,
            extent=frame_of(width, height),
            fps=limits.check_fps(fps),
            seconds=chosen_seconds(seconds, scene.seconds),
            depth=None if depth is None else depth_of(depth),
            seed=seed,
        )
        still = image_of([first_frame(clip)], 1)
        return io.NodeOutput(
            LazyVideo(clip, cls.hidden.unique_id), still, ui=_remark(image.shape[0])
        )


def _remark(count: int) -> dict[str, list[str]] | None:
    """Return what the node says where a batch came in."""
    return {"text": [f"Starts from the first of {count} pictures."]} if count > 1 else None
