"""A graph as it will run: who feeds whom. Pure.

A switch whose condition is a fixed value is followed into its chosen branch only, as ComfyUI will.
Must not know what a pipeline needs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

from .graphs import is_link
from .knowledge import Knowledge
from .pipelines import Slot
from .values import Json

DEEPEST = 64  # how many nodes a value is followed through


@dataclass(frozen=True)
class Edge:
    """One link: the input `name` of `node` is fed by output `slot` of `source`."""

    node: str
    name: str
    source: str
    slot: int


class View:
    """Questions to one graph. The graph was checked by `graphs.check_graph`."""

    def __init__(self, graph: Mapping[str, Json], knowledge: Knowledge) -> None:
        self.graph = graph
        self.knowledge = knowledge

    def kind(self, node: str) -> str:
        """Return a node's class."""
        return self.graph[node]["class_type"]

    def title(self, node: str) -> str:
        """Return what people call a node: its title if it has one of its own, or its class."""
        meta: Any = self.graph[node].get("_meta")
        title: Any = cast("Json", meta).get("title") if isinstance(meta, dict) else None
        return title if isinstance(title, str) and title else self.kind(node)

    def inputs(self, node: str) -> Json:
        """Return a node's inputs: values, and links."""
        return self.graph[node]["inputs"]

    def value(self, slot: Slot) -> Any:  # noqa: ANN401  whatever the widget holds
        """Return what a widget holds."""
        return self.inputs(slot.node)[slot.input]

    def place(self, node: str, name: str) -> Slot:
        """Return the input that decides, led past switches: it holds a value, or a node's link."""
        place = Slot(node, name)
        for _ in range(DEEPEST):
            link = link_of(self.inputs(place.node).get(place.input))
            chosen = self._chosen(link[0]) if link else None
            if link is None or chosen is None:
                break
            place = Slot(link[0], chosen)
        return place

    def edge(self, node: str, name: str) -> Edge | None:
        """Return the link into an input, led past switches; None for a value or no input."""
        place = self.place(node, name)
        link = link_of(self.inputs(place.node).get(place.input))
        return Edge(node, name, *link) if link else None

    def edges(self, node: str) -> list[Edge]:
        """Return all links into a node; of a switch nobody can decide: both branches."""
        return [edge for name in self.inputs(node) if (edge := self.edge(node, name))]

    def walk(
        self, starts: list[Edge], goes: Callable[[Edge], bool] | None = None
    ) -> Iterator[Edge]:
        """Yield the edges behind `starts`, these first, the nearest first, each node entered once.

        An edge that `goes` refuses is not yielded and not followed.
        """
        seen: set[str] = set()
        queue = list(starts)
        for edge in queue:  # grows while it is read
            if edge.source in seen or not (goes is None or goes(edge)):
                continue
            seen.add(edge.source)
            yield edge
            queue.extend(self.edges(edge.source))

    def upstream(self, node: str) -> list[str]:
        """Return a node and all nodes that it depends on, the nearest first."""
        return [node, *(edge.source for edge in self.walk(self.edges(node)) if edge.source != node)]

    def sinks(self) -> list[str]:
        """Return the nodes that feed nobody."""
        links = (link_of(value) for node in self.graph for value in self.inputs(node).values())
        fed = {link[0] for link in links if link}
        return [node for node in self.graph if node not in fed]

    def _chosen(self, node: str) -> str | None:
        """Return the input that a switch passes on; None if it is no switch or may be either."""
        names = self.knowledge.row("switches", self.kind(node))
        if not names:
            return None
        condition = self._constant(node, names[0])
        return names[2 if condition else 1] if isinstance(condition, bool) else None

    def _constant(self, node: str, name: str) -> Any:  # noqa: ANN401  whatever the widget holds
        """Return the value of an input that is one, or comes from a primitive node."""
        value = self.inputs(node).get(name)
        for _ in range(DEEPEST):
            link = link_of(value)
            if link is None:
                return value
            value = self.inputs(link[0]).get("value")
        return None


def link_of(value: object) -> tuple[str, int] | None:
    """Return node and output of an input's value that is a link."""
    if not is_link(value):
        return None
    source, slot = cast("tuple[str, int]", value)
    return source, slot
