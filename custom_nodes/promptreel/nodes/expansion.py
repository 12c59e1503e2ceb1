"""What the model nodes share when they turn into other nodes: links of their own, and pictures.

Knows ComfyUI's prompt (dynprompt) and core node classes by name; must not know families' graphs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Any, TypeVar

import torch
from comfy_api.latest import io

from ..engine.errors import ParameterError, PictureError
from ..engine.scene import parse_scene
from ..engine.values import Scene
from ..families.base import Builder, Link, Model
from ..families.prompts import Spoken, speak, understands
from ..families.take import DEFAULT, Chosen, Knobs
from .models import settings
from .request import MAX_SEED

_Family = TypeVar("_Family", bound=Model)

KNOBS = tuple(field.name for field in fields(Knobs))
_RGB = 3
_REQUEST = "PromptReelRequest"
HIDDEN = (io.Hidden.dynprompt, io.Hidden.unique_id)
# Of each number the least and the most. ComfyUI checks widgets by them, not what comes by a link.
BOUNDS: Mapping[str, tuple[float, float]] = {
    "width": (0, 8192),
    "height": (0, 8192),
    "seed": (0, MAX_SEED),
    "steps": (0, 200),
    "cfg": (0.0, 30.0),
    "shift": (0.0, 100.0),
}


@dataclass(frozen=True)
class Told:
    """The two texts for a family, and remarks for the node."""

    positive: str
    negative: str
    remarks: tuple[str, ...]


def own_inputs(hidden: Any) -> dict[str, Any]:  # noqa: ANN401  ComfyUI's holder
    """Return the inputs of the node that runs as the prompt has them: values, or raw links."""
    return hidden.dynprompt.get_node(hidden.unique_id)["inputs"]


def linked_loader(hidden: Any, families: Mapping[str, _Family]) -> tuple[_Family, Chosen] | None:  # noqa: ANN401
    """Return the one of `families` whose loader `model` comes from, and its settings.

    It has not run yet. None if it is another node, or if the loader's own widgets are links.
    """
    link = own_inputs(hidden).get("model")
    if not isinstance(link, list):
        return None
    node = hidden.dynprompt.get_node(link[0])
    by_node = {family.node_id: family for family in families.values()}
    family = by_node.get(node["class_type"])
    if family is None or any(isinstance(value, list) for value in node["inputs"].values()):
        return None
    return family, settings(family, node["inputs"])


def left_to_text(hidden: Any) -> bool:  # noqa: ANN401
    """Tell whether `seconds` comes from a Request that leaves it to the text."""
    link = own_inputs(hidden).get("seconds")
    if not isinstance(link, list):
        return False
    node = hidden.dynprompt.get_node(link[0])
    return node["class_type"] == _REQUEST and node["inputs"].get("seconds") == 0


def fitted(graph: Builder, link: Link, image: torch.Tensor, size: tuple[int, int]) -> Link:
    """Add what turns a picture (the first of a batch) into one of exactly this size, cropped.

    Some of ComfyUI's nodes take three channels alone: alpha goes.
    """
    if image.shape[0] > 1:
        link = graph.node("ImageFromBatch", image=link, batch_index=0, length=1).out(0)
    if image.shape[-1] > _RGB:
        link = graph.node("SplitImageWithAlpha", image=link).out(0)
    inputs = {"width": size[0], "height": size[1], "crop": "center"}
    return graph.node("ImageScale", image=link, upscale_method="lanczos", **inputs).out(0)


def extent_of(image: torch.Tensor) -> tuple[int, int]:
    """Return the width and height of a batch's pictures."""
    if image.ndim != 4 or not image.numel():
        raise PictureError("The IMAGE is empty: connect a node that gives a picture.")
    return image.shape[2], image.shape[1]


def size_inputs() -> list[io.Input]:
    """Return the size's widgets: 0 stands for the model's own."""
    return [_whole(side, step=8) for side in ("width", "height")]


def seed_input() -> io.Input:
    """Return the seed's widget."""
    return _whole("seed", control_after_generate=True)


def knob_inputs() -> list[io.Input]:
    """Return the advanced widgets: 0 and "default" keep the family's official values."""
    return [
        _whole("steps", optional=True),
        _tenths("cfg"),
        _choice("sampler", core_sampler().SAMPLERS),
        _choice("scheduler", core_sampler().SCHEDULERS),
        _tenths("shift"),
    ]


def check_bounds(values: Mapping[str, Any]) -> None:
    """Raise ParameterError for a number out of its bounds: one that came by a link."""
    for name, (least, most) in BOUNDS.items():
        value = values.get(name, least)
        if not least <= value <= most:  # also refuses NaN
            raise ParameterError(f"{name} must be {least:g} to {_said(most)}, not {value}.")


def knobs(values: Mapping[str, Any]) -> Knobs:
    """Return the advanced widgets' values. Raises ParameterError for an unknown choice."""
    made = Knobs(**{name: values[name] for name in KNOBS if name in values})
    _check("sampler", made.sampler, core_sampler().SAMPLERS)
    _check("scheduler", made.scheduler, core_sampler().SCHEDULERS)
    return made


def core_sampler() -> Any:  # noqa: ANN401  a class of ComfyUI's
    """Return ComfyUI's KSampler, which knows the names; its module looks for a GPU at import."""
    from comfy.samplers import KSampler  # noqa: PLC0415  not before ComfyUI has done so itself

    return KSampler


def said(family: Model, scene: Scene, cfg: float, strength: str | None = None) -> Told:
    """Return the scene's words and camera as the family wants them, with remarks about that.

    With a `cfg` of 1 nothing reads the negative text.
    """
    shots = [[(move.kind, move.strength) for move in shot.moves] for shot in scene.shots]
    spoken = speak(
        family,
        scene.prompt,
        shots if scene.explicit_camera else (),
        scene.looks,
        scene.negative,
        strength,
        named_looks(scene),
    )
    return Told(spoken.positive, spoken.negative, tuple(_remarks(family, scene, spoken, cfg != 1)))


def named_looks(scene: Scene) -> tuple[str, ...]:
    """Return the looks that the scene's prompt names itself: not those of tags, taken out of it."""
    return parse_scene(scene.prompt).looks if scene.prompt.strip() else ()


def _remarks(family: Model, scene: Scene, spoken: Spoken, guided: bool) -> Iterator[str]:
    if not family.speaks:
        yield f"{family.title} takes no words: only the picture is used."
    elif not understands(family, scene.prompt):
        yield f"{family.title} knows English only: write what should happen in English."
    if spoken.positive:
        yield f"Prompt: {spoken.positive}"
    if spoken.unwanted and guided:
        yield f"Negative prompt: {spoken.unwanted}"
    unread = ", ".join(filter(None, (scene.negative, spoken.unwanted)))
    if unread and family.speaks and not guided:
        yield f"Not read without guidance (cfg 1): {unread}. Say what should be there instead."


def _check(what: str, value: str, known: list[str]) -> None:
    if value not in (DEFAULT, *known):
        choices = ", ".join((DEFAULT, *known))
        raise ParameterError(f"Unknown {what} {value!r}: use one of {choices}.")


def _said(most: float) -> str:
    return str(most) if isinstance(most, int) else f"{most:g}"


def _whole(name: str, **more: Any) -> io.Input:  # noqa: ANN401  what io.Int takes
    least, most = BOUNDS[name]
    return io.Int.Input(name, default=0, min=int(least), max=int(most), **more)


def _tenths(name: str) -> io.Input:
    least, most = BOUNDS[name]
    return io.Float.Input(name, default=0.0, min=least, max=most, step=0.1, optional=True)


def _choice(name: str, known: list[str]) -> io.Input:
    return io.Combo.Input(name, options=[DEFAULT, *known], default=DEFAULT, optional=True)
