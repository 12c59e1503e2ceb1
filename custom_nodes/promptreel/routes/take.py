"""POST /promptreel/take: what a video model will make of what is asked, before anything runs.

    {loader, files?: {role: name}, fast?, fps?, width?, height?, seconds?, text?}
    -> {model, seconds, longest, size: [width, height] | null}

`loader` is the loader's node id. `seconds` is what is asked (0: what the text says, else the
model's own), `longest` what the model makes at once, `size` what it makes of a width and height.
Nothing of a file is read: of files only the names count.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..engine import limits
from ..engine.errors import ParameterError
from ..engine.scene import parse_scene
from ..families import FAMILIES
from ..families.base import Family, Options
from ..families.take import Wish, extent
from .answers import Body, Route, answering, number_of, text_of

MAX_FILES = 16


def taken(body: Body) -> Mapping[str, Any]:
    """Return the answer to a body."""
    family = _family(text_of(body, "loader"))
    made = family.limits(_files(body), Options(fast=body.get("fast") is True), {})
    fps = min(max(number_of(body, "fps", 0.0), 0.0), float(limits.MAX_FPS))
    width, height = (max(round(number_of(body, side, 0)), 0) for side in ("width", "height"))
    wish = Wish((16, 9), min(width, limits.MAX_SIDE), min(height, limits.MAX_SIDE))
    return {
        "model": family.title,
        "seconds": _seconds(body),
        "longest": round(made.seconds(fps or None), 2),
        "size": list(extent(made, wish)) if width and height else None,
    }


def _family(node_id: str) -> Family:
    found = next((family for family in FAMILIES.values() if family.node_id == node_id), None)
    if found is None:
        raise ParameterError(f"There is no loader {node_id!r} of a video model.")
    return found


def _files(body: Body) -> dict[str, str]:
    files = body.get("files", {})
    if not isinstance(files, dict) or len(files) > MAX_FILES:
        raise ParameterError(f"files must be an object of at most {MAX_FILES} names.")
    return {str(role): name for role, name in files.items() if isinstance(name, str)}


def _seconds(body: Body) -> float:
    asked, text = number_of(body, "seconds", 0.0), text_of(body, "text")
    if asked or not text.strip():
        return asked
    return parse_scene(text).asked_seconds or 0.0


ROUTES = (Route("POST", "/promptreel/take", answering(taken)),)
