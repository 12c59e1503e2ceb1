"""What a person has decided of a graph, as a program tells it: places for parameters, and outputs.

    mapping  {"image": [["1", "image"]], "negative": []}     [] goes nowhere
    outputs  {"video": "9", "image": "7" or null}

Checked against the graph. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import cast

from .errors import NoSuchPlace
from .graphs import GraphError, widget
from .pipelines import Slot
from .tracing import Slots
from .view import View

MOST = 64  # parameters, and places of one
NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,39}")
TAKEN = ("imageUrl", "serverUrl", "comfyPipeline", "webhookUrl")  # what a request means by itself


@dataclass(frozen=True)
class Choices:
    """`still`: the node that saves the still; "" none is wanted, None nothing was decided."""

    mapping: Mapping[str, Slots] = field(default_factory=dict[str, Slots])
    video: str | None = None
    still: str | None = None


def read_choices(view: View, mapping: object, outputs: object) -> Choices:
    """Return what was decided. Raises NoSuchPlace for what the graph does not have."""
    nodes = _object(outputs, "outputs")
    places = _object(mapping, "mapping")
    if len(places) > MOST:
        raise NoSuchPlace(f"mapping may have at most {MOST} parameters.")
    video = _node(view, nodes.get("video"))
    still = _node(view, nodes.get("image"))
    chosen = {_name(name): _slots(view, name, value) for name, value in places.items()}
    _check_once(chosen)
    return Choices(chosen, video, "" if "image" in nodes and still is None else still)


def _check_once(chosen: Mapping[str, Slots]) -> None:
    """Raise NoSuchPlace where one widget would take two parameters: one would be lost."""
    takes: dict[Slot, str] = {}
    for name, slots in chosen.items():
        for slot in slots:
            other = takes.setdefault(slot, name)
            if other != name:
                raise NoSuchPlace(
                    f"{slot.input[:60]!r} of node {slot.node[:60]!r} can't take both {other} and "
                    f"{name}: choose another place for one of them, or nowhere."
                )


def _name(name: str) -> str:
    if not NAME.fullmatch(name) or name in TAKEN:
        raise NoSuchPlace(
            f"{name[:60]!r} can't be a parameter: take a letter, then letters, digits and '_', at "
            f"most 40, and none of {', '.join(TAKEN)}."
        )
    return name


def _slots(view: View, name: str, value: object) -> Slots:
    rows = cast("list[object]", value) if isinstance(value, list) else None
    if rows is None or len(rows) > MOST:
        raise NoSuchPlace(f'mapping.{name} must be a list of places like ["6", "text"].')
    return tuple(dict.fromkeys(_slot(view, name, row) for row in rows))


def _slot(view: View, name: str, row: object) -> Slot:
    parts = cast("list[object]", row) if isinstance(row, list) else []
    texts = [part for part in parts if isinstance(part, str)]
    if len(texts) != 2 or len(parts) != 2:
        raise NoSuchPlace(f'mapping.{name} must be a list of places like ["6", "text"].')
    slot = Slot(*texts)
    try:
        widget(dict(view.graph), slot)
    except GraphError:
        raise NoSuchPlace(
            f"Node {slot.node[:60]!r} has no widget {slot.input[:60]!r} that could take {name}."
        ) from None
    return slot


def _node(view: View, node: object) -> str | None:
    if node is not None and (not isinstance(node, str) or node not in view.graph):
        raise NoSuchPlace(f"There is no node {str(node)[:60]!r} in the graph.")
    return node


def _object(value: object, name: str) -> dict[str, object]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise NoSuchPlace(f"{name} must be an object.")
    return cast("dict[str, object]", value)
