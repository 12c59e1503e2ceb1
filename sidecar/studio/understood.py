"""What the engine understands of a text. Loads the engine and reads: in a thread."""

from __future__ import annotations

from typing import cast

from sidecar.engine import parse_scene, scene_view
from sidecar.http.bodies import SceneBody


def understood(text: str, negative: str, language: str) -> SceneBody:
    """Return the scene of a text that is not blank, told in the language (blank: the text's)."""
    return cast("SceneBody", scene_view(parse_scene(text, negative), language))
