"""POST /promptreel/scene: what the parser understands of a text, for the nodes that show it live.

    {text, negative?, cameras?: [{move, strength, seconds, mode}], language?}
    -> {understood, note, seconds, moves, look, prompt, negative, explicitCamera}

`cameras` are the Camera nodes behind the text, in their order. `note` is what a video model is
told of a camera that nobody asked for.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..engine import limits
from ..engine.by_hand import REPLACE, with_move
from ..engine.describe import scene_view
from ..engine.scene import parse_scene
from ..engine.values import Scene
from ..families.prompts import untold
from .answers import Body, Route, answering, number_of, rows_of, text_of

MAX_CAMERAS = 32
MAX_STRENGTH = 10.0


def asked_scene(body: Body) -> Scene:
    """Return the scene of a body. Raises EngineError for what is no scene."""
    scene = parse_scene(text_of(body, "text"), text_of(body, "negative"))
    for row in rows_of(body, "cameras", MAX_CAMERAS):
        seconds = min(max(number_of(row, "seconds", 0.0), 0.0), limits.MAX_SECONDS)
        strength = min(max(number_of(row, "strength", 1.0), 0.0), MAX_STRENGTH)
        mode = text_of(row, "mode") or REPLACE
        scene = with_move(scene, text_of(row, "move"), strength, seconds, mode)
    return scene


def understood(body: Body) -> Mapping[str, Any]:
    """Return the answer to a body."""
    scene, language = asked_scene(body), text_of(body, "language")
    note = "" if scene.explicit_camera else untold(scene.text, language)
    return {**scene_view(scene, language), "note": note}


ROUTES = (Route("POST", "/promptreel/scene", answering(understood)),)
