"""A builder that collects a graph in ComfyUI's API format, as a plain dict. Knows no family."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class PlainNode:
    """A node of a plain graph."""

    id: str

    def out(self, index: int) -> list[Any]:
        """Return the link [id, index]."""
        return [self.id, index]


@dataclass
class PlainGraph:
    """Collects nodes; `nodes` is the graph: id -> {class_type, inputs}."""

    nodes: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])

    def node(self, class_type: str, id: str | None = None, **kwargs: Any) -> PlainNode:  # noqa: A002, ANN401
        """Add a node; without an id it is numbered. An id that is taken is a ValueError."""
        name = id or str(len(self.nodes) + 1)
        if name in self.nodes:
            raise ValueError(f"The graph has a node {name} already.")
        self.nodes[name] = {"class_type": class_type, "inputs": kwargs}
        return PlainNode(name)
