"""What nodes' classes and inputs mean: `nodes.json`, and a ComfyUI's own /object_info on top.

Must not know any graph.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, cast

from .values import Json

_TABLE = Path(__file__).with_name("nodes.json")


def base_name(name: str) -> str:
    """Return the last part of a dynamic input's name: "width" of "resize_type.width"."""
    return name.rpartition(".")[2]


@dataclass(frozen=True)
class Knowledge:
    """The table, and for each class what /object_info says of it (empty: no ComfyUI was asked)."""

    table: Json
    info: Mapping[str, Json] = field(default_factory=dict[str, Json])

    def listed(self, key: str) -> list[str]:
        """Return one of the table's lists, or the keys of one of its objects."""
        return list(self.table[key])

    def row(self, key: str, name: str) -> Any:  # noqa: ANN401  whatever the table holds there
        """Return one row of one of the table's objects, or None."""
        return self.table[key].get(name)

    def matches(self, key: str, name: str) -> bool:
        """Whether a name is one of a list's patterns ("end_*")."""
        return _any(self.table[key], name)

    def frame_rule(self, class_type: str) -> str:
        """Return what frame counts a class makes ("4n + 1"), or ""."""
        rules = self.table["frame_rules"].items()
        return next((rule for rule, classes in rules if _any(classes, class_type)), "")

    def knows(self, class_type: str) -> bool | None:
        """Whether the ComfyUI has that class; None where none was asked."""
        return class_type in self.info if self.info else None

    def is_output(self, class_type: str) -> bool:
        """Whether the ComfyUI calls the class an output node."""
        return self.info.get(class_type, {}).get("output_node") is True

    def picture_input(self, class_type: str) -> str | None:
        """Return the widget by which a class takes a picture's name, if it does."""
        known = self.row("picture_loaders", class_type)
        if known:
            return known
        for name, kind, options in self._inputs(class_type):
            if options.get("image_upload") and kind in ("COMBO", "STRING"):
                return name
        return None

    def is_text(self, class_type: str, name: str) -> bool:
        """Whether the ComfyUI calls an input a text of several lines."""
        return any(
            own == name and kind == "STRING" and options.get("multiline") is True
            for own, kind, options in self._inputs(class_type)
        )

    def kind(self, class_type: str, name: str) -> str:
        """Return an input's type ("CONDITIONING"), or "" where it is not known."""
        return next((kind for own, kind, _ in self._inputs(class_type) if own == name), "")

    def output_name(self, class_type: str, slot: int) -> str:
        """Return what an output is called ("positive"), in small letters; "" if it is not known."""
        names = self.info.get(class_type, {}).get("output_name")
        if not isinstance(names, list) or not 0 <= slot < len(cast("list[Any]", names)):
            return ""
        return str(cast("list[Any]", names)[slot]).lower()

    def limits(self, class_type: str, name: str) -> Json:
        """Return {"minimum", "maximum"} of a number as the ComfyUI (or the table) tells them."""
        known: Json = self.row("limits", class_type) or {}
        found: Json = {**known.get(name, {})}
        for own, kind, options in self._inputs(class_type):
            if own == name and kind in ("INT", "FLOAT"):
                for ours, theirs in (("minimum", "min"), ("maximum", "max")):
                    if isinstance(options.get(theirs), (int, float)):
                        found[ours] = options[theirs]
        return found

    def _inputs(self, class_type: str) -> Iterable[tuple[str, str, Json]]:
        """Yield name, type and options of a class's inputs; a list of choices is "COMBO"."""
        groups = _dict(self.info.get(class_type, {}).get("input"))
        for group in ("required", "optional"):
            for name, row in _dict(groups.get(group)).items():
                if isinstance(row, list) and row:
                    cells = cast("list[Any]", row)
                    kind = cells[0] if isinstance(cells[0], str) else "COMBO"
                    yield name, kind, _dict(cells[1]) if len(cells) > 1 else {}


def load_knowledge(info: Mapping[str, Json] | None = None) -> Knowledge:
    """Return the built-in table, with a ComfyUI's /object_info where there is one."""
    return Knowledge(json.loads(_TABLE.read_text(encoding="utf-8")), info or {})


def _any(patterns: Iterable[str], name: str) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def _dict(value: object) -> Json:
    return cast("Json", value) if isinstance(value, dict) else {}
