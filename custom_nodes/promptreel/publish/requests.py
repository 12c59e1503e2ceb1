"""What a graph's PromptReelRequest nodes take, and what of it has an effect. Pure."""

from __future__ import annotations

from .graphs import REQUEST, request_slots
from .params import COMMON
from .pipelines import Slot
from .tracing import Slots
from .view import View, link_of

_OWN = ("image", "text", *(param.name for param in COMMON))


def requested(view: View) -> dict[str, Slots]:
    """Return the widgets of the Request nodes that something comes of."""
    unused = idle(view)
    found = {
        name: tuple(slot for slot in slots if slot not in unused.get(name, ()))
        for name, slots in request_slots(dict(view.graph), _OWN).items()
    }
    return {name: slots for name, slots in found.items() if slots}


def idle(view: View) -> dict[str, Slots]:
    """Return the widgets of the Request nodes whose outputs are linked to nothing."""
    links = (link_of(value) for node in view.graph for value in view.inputs(node).values())
    used = {link for link in links if link}
    found: dict[str, Slots] = {}
    for name in view.knowledge.listed("request_outputs"):
        outputs: list[int] = view.knowledge.row("request_outputs", name)
        unused = tuple(
            Slot(node, name)
            for node in view.graph
            if view.kind(node) == REQUEST and name in view.inputs(node)
            if not view.edge(node, name) and not used & {(node, number) for number in outputs}
        )
        if unused:
            found[name] = unused
    return found
