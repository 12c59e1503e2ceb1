"""The model files that a graph's loaders name, as rows of pipeline.json. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from .model_rows import ModelRowError, present_name, read_model
from .values import Json
from .view import View


def model_rows(view: View, known: Iterable[Json]) -> list[Json]:
    """Return {"name", "folder"} and, where a workflow told it, "source" of each file once.

    `known`: rows of `models` properties. A value that is no file ("taesd") is left out.
    """
    sources: dict[tuple[str, str], str] = {
        (present_name(row["directory"]), _last(row["name"])): row["url"] for row in known
    }
    rows: dict[tuple[str, str], Json] = {}
    for name, folder in _named(view):
        row: Json = {"name": name.replace("\\", "/"), "folder": folder}
        source = sources.get((folder, _last(name)), "")
        best: Json = (
            {**row, "source": source} if source and _is_row({**row, "source": source}) else row
        )
        if _is_row(best):
            rows[folder, best["name"]] = best
    return list(rows.values())


def _named(view: View) -> Iterator[tuple[str, str]]:
    endings = tuple(view.knowledge.listed("file_endings"))
    for node in view.graph:
        inputs = view.inputs(node)
        loads: dict[str, str] = view.knowledge.row("model_files", view.kind(node)) or {}
        for name, folder in loads.items():
            value = inputs.get(name)
            is_file = isinstance(value, str) and value.lower().endswith(endings)
            if is_file and _is_used(view, node, name):
                yield str(value), folder


def _is_used(view: View, node: str, name: str) -> bool:
    """Whether a file is loaded at all: some are only where a switch of the same node is on."""
    switches: dict[str, str] = view.knowledge.row("only_with", view.kind(node)) or {}
    return name not in switches or view.inputs(node).get(switches[name], False) is not False


def _last(name: str) -> str:
    return name.replace("\\", "/").rpartition("/")[2]


def _is_row(row: Json) -> bool:
    try:
        read_model(row)
    except ModelRowError:
        return False
    return True
