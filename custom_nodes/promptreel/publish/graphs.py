"""API-format graphs of ComfyUI: checked, and searched for widgets and result nodes. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import cast

from .pipelines import Slot
from .values import Json

REQUEST, RESULT = "PromptReelRequest", "PromptReelResult"


class GraphError(ValueError):
    """The graph can't be used; one sentence that says what to change."""


def check_graph(graph: Json) -> None:
    """Raise GraphError if this is no API-format graph, or a link leads nowhere."""
    if isinstance(graph.get("nodes"), list):
        raise GraphError(
            "graph.json is a workflow of the editor: save it by 'Export (API)' instead."
        )
    if not graph:
        raise GraphError("graph.json is empty.")
    for number, node in graph.items():
        for name, value in _inputs(number, node).items():
            if is_link(value) and value[0] not in graph:
                raise GraphError(
                    f"input {name!r} of node {number!r} comes from node {value[0]!r}, "
                    "which graph.json does not have."
                )


def is_link(value: object) -> bool:
    """Whether an input's value is a link to a node's output: ["4", 0]."""
    if not isinstance(value, list):
        return False
    items = cast("list[object]", value)
    return len(items) == 2 and isinstance(items[0], str) and isinstance(items[1], int)


def request_slots(graph: Json, names: Iterable[str]) -> dict[str, tuple[Slot, ...]]:
    """Return the named widgets of the Request nodes; what is a link there is no widget."""
    slots: dict[str, tuple[Slot, ...]] = {}
    requests = [key for key, node in graph.items() if node["class_type"] == REQUEST]
    for name in names:
        found = tuple(
            Slot(key, name)
            for key in requests
            if name in graph[key]["inputs"] and not is_link(graph[key]["inputs"][name])
        )
        if found:
            slots[name] = found
    return slots


def widget(graph: Json, slot: Slot) -> object:
    """Return the value in a slot. Raises GraphError if there is no such widget."""
    inputs = graph.get(slot.node, {}).get("inputs", {})
    if slot.input not in inputs:
        raise GraphError(f"{slot.node}.{slot.input} is mapped, but graph.json has no such widget.")
    if is_link(inputs[slot.input]):
        raise GraphError(f"{slot.node}.{slot.input} is mapped, but it is a link and no widget.")
    return inputs[slot.input]


def results(graph: Json) -> list[str]:
    """Return the Result nodes."""
    return [key for key, node in graph.items() if node["class_type"] == RESULT]


def _inputs(number: str, node: object) -> Json:
    typed = cast("Json", node) if isinstance(node, dict) else {}
    inputs = typed.get("inputs")
    if not isinstance(typed.get("class_type"), str) or not isinstance(inputs, dict):
        raise GraphError(f"node {number!r} of graph.json has no class_type or no inputs.")
    return cast("Json", inputs)
