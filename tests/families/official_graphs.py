"""The official graphs of `tests/data/official`, and our graphs, as trees that can be compared.

A tree is (class, {input: value or tree}) from an output upwards, so node ids don't matter.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parents[1] / "data" / "official"
NAMES = sorted(path.stem for path in FOLDER.glob("*.json"))
# What brings a picture to its size in the templates; ours arrives cropped to size.
_FITTING = {"FluxKontextImageScale": "image", "ImageScaleToTotalPixels": "image"}
_FITTING["ImageStitch"] = "image1"  # with one picture it passes that on
START, END = "the start picture", "the end picture"


@dataclass(frozen=True)
class Graph:
    """A graph in API format."""

    nodes: dict[str, Any]

    def all(self, *classes: str) -> list[dict[str, Any]]:
        return [n["inputs"] for n in self.nodes.values() if n["class_type"] in classes]

    def one(self, *classes: str) -> dict[str, Any]:
        (found,) = self.all(*classes)
        return found

    def id_of(self, class_type: str) -> str:
        (found,) = (key for key, n in self.nodes.items() if n["class_type"] == class_type)
        return found

    def follow(self, link: list[Any]) -> dict[str, Any]:
        return self.nodes[link[0]]

    def tree(self, node_id: str, pictures: dict[str, str]) -> Any:
        """Return the tree above a node; `pictures`: ids of what gives a picture -> its name."""
        node = self.nodes[node_id]
        inputs = {key: self._value(value, pictures) for key, value in node["inputs"].items()}
        if "end_at_step" in inputs:  # any number past the last step means the same
            inputs["end_at_step"] = min(inputs["end_at_step"], inputs["steps"])
        return node["class_type"], inputs

    def _value(self, value: Any, pictures: dict[str, str]) -> Any:
        if not isinstance(value, list):
            return value
        source, index = value
        if source in pictures:
            return pictures[source]
        node = self.nodes[source]
        if node["class_type"] in _FITTING:
            return self._value(node["inputs"][_FITTING[node["class_type"]]], pictures)
        return (index, *self.tree(source, pictures))


def official(name: str) -> Graph:
    """Return an official graph."""
    return Graph(json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))["graph"])
