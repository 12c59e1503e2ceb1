"""The pipeline.json of what was found. Pure.

Only what `manifest` can't know by itself is written: limits that ComfyUI tells, what the
length counts, the model files.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from .findings import Findings
from .graphs import results
from .params import COMMON
from .pipelines import Slot
from .requests import idle, requested
from .tracing import Slots
from .values import Json
from .view import View

_COMMON = {param.name: param for param in COMMON}
_SETTINGS: Mapping[str, Json] = {
    "frames": {"type": "integer", "minimum": 1, "maximum": 16384},
    "width": {"type": "integer", "minimum": 16, "maximum": 16384, "help": "Width in pixels."},
    "height": {"type": "integer", "minimum": 16, "maximum": 16384, "help": "Height in pixels."},
    "steps": {"type": "integer", "minimum": 1, "maximum": 10000, "help": "Sampling steps."},
    "cfg": {
        "type": "number",
        "minimum": 0,
        "maximum": 100,
        "help": "How strictly the video follows the text (guidance).",
    },
}


@dataclass(frozen=True)
class About:
    """What a person says of the pipeline."""

    title: str = ""
    description: str = ""
    requires: str = ""


def manifest(view: View, found: Findings, models: Sequence[Json], about: About) -> Json:
    """Return the pipeline.json."""
    result: Json = {"title": about.title, "description": about.description}
    if about.requires:
        result["requires"] = about.requires
    own = requested(view)
    kept = {
        name: slots
        for name, slots in found.mapping.items()
        if not (name in own and set(slots) == set(own[name])) and (slots or name in ("text", *own))
    }
    kept |= {name: () for name in idle(view) if not found.mapping.get(name)}
    result["mapping"] = {name: [[s.node, s.input] for s in slots] for name, slots in kept.items()}
    result["params"] = {
        name: row
        for name, slots in found.mapping.items()
        if (row := _param(view, found, name, slots))
    }
    result["outputs"] = {"video": found.video, **({"image": found.still} if found.still else {})}
    result["models"] = list(models)
    if results(dict(view.graph)) == [found.video] and not found.still:
        del result["outputs"]
    return {key: value for key, value in result.items() if value or key == "title"}


def _param(view: View, found: Findings, name: str, slots: Slots) -> Json:
    """Return a parameter's row; empty if the parameter is known and needs none."""
    if not slots or name in ("image", "text"):
        return {}
    if name in _COMMON:
        return _common(view, found, name, slots)
    chooser: Json = view.knowledge.row("choosers", view.kind(slots[0].node)) or {}
    row: Json = {**(_SETTINGS.get(name) or chooser.get(name) or _by_value(view, slots[0]))}
    row.update(_within(row, view.knowledge.limits(view.kind(slots[0].node), slots[0].input)))
    if name == "frames":
        row["help"] = _frames_help(view, found)
    value = view.value(slots[0])
    if row["type"] == "enum" and value not in row["choices"]:
        row["choices"] = [value, *row["choices"]]
    return row


def _common(view: View, found: Findings, name: str, slots: Slots) -> Json:
    """Return what is narrower, or to be known, of a parameter that every pipeline may have."""
    row: Json = {}
    told = (view.knowledge.limits(view.kind(slot.node), slot.input) for slot in slots)
    most = min((one["maximum"] for one in told if "maximum" in one), default=None)
    base = _COMMON[name]
    if name == "seconds" and found.length and found.length.most:
        most = found.length.most
    if most is not None and base.maximum is not None and 0 < most < base.maximum:
        row["maximum"] = most
    if base.type == "number" and any(view.kind(slot.node) == "PrimitiveInt" for slot in slots):
        row.update(minimum=1, help=f"{base.help.partition(';')[0].rstrip('.')}; a whole number.")
    elif name == "fps" and "frames" in found.mapping:
        row["help"] = "Frames in a second: how fast the frames are played, not how many are made."
    return row


def _by_value(view: View, slot: Slot) -> Json:
    """Return the type of a parameter of a person's own by what its widget holds."""
    value = view.value(slot)
    for kind, name in ((bool, "boolean"), (int, "integer"), (float, "number")):
        if isinstance(value, kind):
            return {"type": name}
    return {"type": "string", "maximum": 20000}


def _within(row: Json, told: Json) -> Json:
    """Return the limits of a number that are narrower than the row's own."""
    if row["type"] not in ("integer", "number"):
        return {}
    narrower = {"minimum": max, "maximum": min}
    return {key: narrower[key](value, row.get(key, value)) for key, value in told.items()}


def _frames_help(view: View, found: Findings) -> str:
    """Return what a person must know of the frames: the counts that the model makes."""
    length = found.length
    rule = view.knowledge.frame_rule(view.kind(length.site.node)) if length else ""
    made = f"; the model makes {rule} and rounds others down" if rule else ""
    return f"Number of frames{made}."
