"""Where the picture goes: the loader whose picture the video starts from. Pure.

A loader counts by the best way from it to the output: as the start image, as a reference, within a
control film, or at the side (end image, mask).
"""

from __future__ import annotations

import re
from enum import IntEnum

from .knowledge import base_name
from .pipelines import Slot
from .stages import Stages, is_sampler
from .tracing import Slots, alike
from .view import Edge, View

_NUMBERED = re.compile(r"(.*?)(\d+)")


class Way(IntEnum):
    """How a picture takes part; the smaller the better."""

    START, REFERENCE, CONTROL, SIDE = range(4)


def find_picture(view: View, stages: Stages) -> tuple[Slots, ...]:
    """Return the readings of the picture's place: one is sure, several are for a person to choose.

    Loaders that hold the same file are one reading. None: the graph takes no picture.
    """
    ways = _ways(view, stages.output)
    loaders = [(ways[node], slot) for node in stages.nodes if (slot := _loader(view, node))]
    best = min((way for way, _ in loaders), default=None)
    found = tuple(slot for way, slot in loaders if way == best)
    if not found or best == Way.SIDE:
        return ()
    return (found,) if alike(view, found) else tuple((slot,) for slot in found)


def find_still(view: View, stages: Stages) -> str | None:
    """Return the node that saves the still an earlier stage drew for the video to start from."""
    drawn = set(stages.nodes) if stages.earlier else set[str]()
    for kind in view.knowledge.listed("still_outputs"):
        found = [
            node
            for node in view.graph
            if view.kind(node) == kind and _saves_drawn(view, node, drawn, stages)
        ]
        if len(found) == 1:
            return found[0]
    return None


def _saves_drawn(view: View, node: str, drawn: set[str], stages: Stages) -> bool:
    edge = view.edge(node, "images")
    if edge is None or edge.source not in drawn:
        return False
    samplers = [one for one in view.upstream(edge.source) if is_sampler(view, one)]
    return bool(samplers) and not set(samplers) & set(stages.last)


def _loader(view: View, node: str) -> Slot | None:
    name = view.knowledge.picture_input(view.kind(node))
    if name and isinstance(view.inputs(node).get(name), str):
        return Slot(node, name)
    return None


def _ways(view: View, output: str) -> dict[str, Way]:
    """Return the best way from each node to the output."""
    best = {output: Way.START}
    queue = [output]
    for node in queue:  # grows while it is read; a node comes again when a better way is found
        for edge in view.edges(node):
            way = max(best[node], _way(view, edge))
            if way < best.get(edge.source, len(Way)):
                best[edge.source] = way
                queue.append(edge.source)
    return best


def _way(view: View, edge: Edge) -> Way:
    """Return what one link makes of the picture that comes through it."""
    name = base_name(edge.name)
    if view.knowledge.matches("side_edges", name) or _is_mask(view, edge) or _is_later(view, edge):
        return Way.SIDE
    if view.knowledge.matches("control_edges", name):
        return Way.CONTROL
    return Way.REFERENCE if view.knowledge.matches("reference_edges", name) else Way.START


def _is_mask(view: View, edge: Edge) -> bool:
    """A picture loader's second output is the picture's transparency."""
    return edge.slot == 1 and _loader(view, edge.source) is not None


def _is_later(view: View, edge: Edge) -> bool:
    """Whether a picture is put at a later frame, or after another one in a row (image1, image2)."""
    frame = view.inputs(edge.node).get("frame_idx")
    if isinstance(frame, int) and base_name(edge.name) == "image":
        return frame != 0
    own = _NUMBERED.fullmatch(edge.name)
    if not own or view.knowledge.matches("reference_edges", base_name(edge.name)):
        return False
    row = [one for name in view.inputs(edge.node) if (one := _NUMBERED.fullmatch(name))]
    return any(one[1] == own[1] and int(one[2]) < int(own[2]) for one in row)
