"""Scene and Camera: what a text asks for, and the camera by hand."""

from __future__ import annotations

import re
from dataclasses import replace

from comfy_api.latest import io, ui

from ..engine import limits
from ..engine.by_hand import ADD, REPLACE, THEN, moves, with_move
from ..engine.scene import describe, parse_scene
from ..engine.values import Scene as SceneValue
from ..families.prompts import untold
from ..families.unwanted import divide
from .schema import SceneType, schema

_CYRILLIC = re.compile("[\u0400-\u04ff]")


class Scene(io.ComfyNode):
    """Reads a text and shows what it has understood."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        """Declare: a text in, a scene and the two prompts for a video model out."""
        return schema(
            "PromptReelScene",
            [
                io.String.Input("text", multiline=True, default="slow push in, at sunset"),
                io.String.Input("negative", default="", optional=True),
            ],
            [SceneType.Output(), io.String.Output(), io.String.Output()],
        )

    @classmethod
    def execute(cls, text: str, negative: str = "") -> io.NodeOutput:
        """Parse; SceneError for a blank text."""
        scene = parse_scene(text, negative)
        return io.NodeOutput(scene, *prompts(scene), ui=understood(scene))


class Camera(io.ComfyNode):
    """One camera move, set by widgets."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        """Declare: a scene in, the scene with another camera out."""
        return schema(
            "PromptReelCamera",
            [
                SceneType.Input("scene"),
                io.Combo.Input("move", options=moves(), default="dolly_in"),
                io.Float.Input("strength", default=1.0, min=0.1, max=3.0, step=0.05),
                io.Float.Input("seconds", default=0.0, min=0.0, max=limits.MAX_SECONDS, step=0.1),
                io.Combo.Input("mode", options=[ADD, REPLACE, THEN], default=REPLACE),
            ],
            [SceneType.Output()],
        )

    @classmethod
    def execute(
        cls, scene: SceneValue, move: str, strength: float, seconds: float, mode: str
    ) -> io.NodeOutput:
        """Put the move into the scene."""
        changed = with_move(scene, move, strength, seconds, mode)
        return io.NodeOutput(changed, ui=understood(changed))


def prompts(scene: SceneValue) -> tuple[str, str]:
    """Return the prompt and the negative prompt for a video model.

    What the text says must not be seen goes into the negative one. Of a text that is all camera the
    prompt is the camera in English: an empty one would leave a model without guidance.
    """
    positive, unwanted = divide(scene.prompt)
    plain = replace(scene, negative="", seconds=None, explicit_camera=True)
    return positive or describe(plain), ", ".join(filter(None, (scene.negative, unwanted)))


def understood(scene: SceneValue) -> ui.PreviewText:
    """Return what the node shows, in the language of the scene's text.

    The camera's default is what Animate makes; a model is told of no move that nobody asked for.
    """
    said = describe(scene, "ru" if _CYRILLIC.search(scene.text) else "en")
    told = said if scene.explicit_camera else f"{said}\n{untold(scene.text)}"
    return ui.PreviewText(told)
