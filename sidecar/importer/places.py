"""What --set says, checked against the graph. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from sidecar.rules import GraphError, NoSuchPlace, Slot, Slots, View, widget

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,39}")


@dataclass(frozen=True)
class Settings:
    """What a person has decided: nodes that save the answer, and parameters' widgets."""

    mapping: Mapping[str, Slots] = field(default_factory=dict[str, Slots])
    video: str | None = None
    still: str | None = None


def read_settings(view: View, given: Iterable[str]) -> Settings:
    """Return the settings that NAME=NODE.INPUT[,NODE.INPUT] texts mean. Raises NoSuchPlace."""
    mapping: dict[str, Slots] = {}
    nodes: dict[str, str] = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not equals or not _NAME.fullmatch(name):
            raise NoSuchPlace(f"--set {text}: it must look like --set image=NODE.INPUT.")
        if name in ("video", "still"):
            nodes[name] = _node(view, value)
        else:
            mapping[name] = tuple(_slot(view, part) for part in value.split(",") if part.strip())
    return Settings(mapping, nodes.get("video"), nodes.get("still"))


def _node(view: View, node: str) -> str:
    if node not in view.graph:
        raise NoSuchPlace(f"There is no node {node!r} in the graph.")
    return node


def _slot(view: View, place: str) -> Slot:
    """Return the widget; both a node's number and an input's name may hold dots."""
    parts = place.strip().split(".")
    for length in range(len(parts) - 1, 0, -1):
        slot = Slot(".".join(parts[:length]), ".".join(parts[length:]))
        if slot.node in view.graph:
            return _widget(view, slot)
    raise NoSuchPlace(f"There is no node {parts[0]!r} in the graph.")


def _widget(view: View, slot: Slot) -> Slot:
    try:
        widget(dict(view.graph), slot)
    except GraphError:
        listed = ", ".join(
            name for name in view.inputs(slot.node) if not view.edge(slot.node, name)
        )
        raise NoSuchPlace(
            f"Node {slot.node!r} has no widget {slot.input!r}: it has {listed or 'none'}."
        ) from None
    return slot
