"""Reads what a person has: an exported graph, or a picture or video that ComfyUI saved.

Everything in the file may be hostile: each kind of wrong file is one sentence. Must not know what
nodes mean.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from sidecar.rules import HOW_TO_EXPORT, NotAGraph, graph_of, parsed
from sidecar.values import Json

from .metadata import is_media, read_texts

LARGEST = 16 << 20  # bytes of a JSON file
LARGEST_MEDIA = 4 << 30  # bytes of a picture or video; only its metadata is read
_MODEL = ("name", "url", "directory")


@dataclass(frozen=True)
class Source:
    """`graph`: checked, in API format. `models`: rows of `models` properties (name, url, directory)
    of the workflow that lay beside it.
    """

    graph: dict[str, Json]
    models: tuple[Json, ...] = ()


def read_source(path: Path) -> Source:
    """Read a file. Raises NotAGraph."""
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            head = file.read(32)
    except OSError as error:
        raise NotAGraph(f"{path}: {error.strerror or 'it can not be read'}.") from None
    media = is_media(path, head)
    if size > (LARGEST_MEDIA if media else LARGEST):
        raise NotAGraph(f"{path.name} is too large for a graph.")
    return _from_media(path, head) if media else _from_json(path)


def _from_json(path: Path) -> Source:
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise NotAGraph(f"{path}: {error.strerror or 'it can not be read'}.") from None
    except UnicodeDecodeError:
        raise NotAGraph(f"{path.name} is no JSON file.") from None
    return Source(graph_of(parsed(text, path.name), path.name))


def _from_media(path: Path, head: bytes) -> Source:
    texts = read_texts(path, head)
    if "prompt" not in texts:
        other = f" It holds the editor's workflow only. {HOW_TO_EXPORT}"
        raise NotAGraph(
            f"There is no graph in {path.name}: ComfyUI did not save it, or its metadata were "
            f"removed.{other if 'workflow' in texts else ''}"
        )
    graph = graph_of(parsed(texts["prompt"], path.name), path.name)
    try:
        workflow = parsed(texts["workflow"], path.name) if "workflow" in texts else None
    except NotAGraph:
        workflow = None
    return Source(graph, tuple(_models(workflow)))


def _models(workflow: object) -> Iterator[Json]:
    """Yield the rows of all nodes' `models` properties, those inside subgraphs too."""
    todo: list[Any] = [workflow]
    for part in todo:  # grows while it is read
        if not isinstance(part, dict):
            continue
        typed = cast("dict[str, Any]", part)
        properties: Any = typed.get("properties")
        rows: Any = cast("Json", properties).get("models") if isinstance(properties, dict) else None
        yield from (row for row in _list(rows) if _is_model(row))
        definitions: Any = typed.get("definitions")
        is_there = isinstance(definitions, dict)
        inner: Any = cast("Json", definitions).get("subgraphs") if is_there else None
        todo += [*_list(typed.get("nodes")), *_list(inner)]


def _is_model(row: object) -> bool:
    return isinstance(row, dict) and all(
        isinstance(cast("Json", row).get(key), str) for key in _MODEL
    )


def _list(value: object) -> list[Any]:
    return cast("list[Any]", value) if isinstance(value, list) else []
