"""The pack's nodes for ComfyUI: one file per menu group, one list.

Only this folder knows torch and comfy_api. Written in the subset of the V3 schema that works from
ComfyUI 0.3.64 on. Node ids, input ids and the order of outputs are for ever: saved workflows hold
them.
"""

from __future__ import annotations

from comfy_api.latest import ComfyExtension, io

from .animate import Animate
from .bundle import ModelBundle, ModelParts
from .image_to_video import ImageToVideo
from .keyframe import Keyframe
from .models import loaders
from .replaced import announce
from .request import Request
from .result import Result
from .scene import Camera, Scene
from .still import Still

NODES: list[type[io.ComfyNode]] = [
    Request,
    Scene,
    Camera,
    Still,
    Animate,
    *loaders(),
    Keyframe,
    ImageToVideo,
    Result,
    ModelBundle,
    ModelParts,
]


class PromptReelExtension(ComfyExtension):
    """What ComfyUI asks for the pack's nodes."""

    async def on_load(self) -> None:
        """Tell a ComfyUI that asks (from 0.14 on) which nodes have taken the place of others."""
        await announce()

    async def get_node_list(self) -> list[type[io.ComfyNode]]:
        """Return the nodes, in the order of the flow."""
        return list(NODES)
