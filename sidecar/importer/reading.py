"""Reads what a person has: an exported graph, or a picture or video that ComfyUI saved.

Everything in the file may be hostile: each kind of wrong file is one sentence. Must not know what
nodes mean.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from sidecar.graphs import GraphError, check_graph
from sidecar.values import Json

from .errors import NotAGraph
from .metadata import is_media, read_texts

LARGEST = 16 << 20  # bytes of a JSON file
LARGEST_MEDIA = 4 << 30  # bytes of a picture or video; only its metadata is read
MOST_NODES = 5000
_MODEL = ("name", "url", "directory")

HOW_TO_EXPORT = (
    "In ComfyUI open it and choose Workflow > Export (API), then give the file that this saves."
)


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
    return Source(_graph(_parsed(text, path.name), path.name))


def _from_media(path: Path, head: bytes) -> Source:
    texts = read_texts(path, head)
    if "prompt" not in texts:
        other = f" It holds the editor's workflow only. {HOW_TO_EXPORT}"
        raise NotAGraph(
            f"There is no graph in {path.name}: ComfyUI did not save it, or its metadata were "
            f"removed.{other if 'workflow' in texts else ''}"
        )
    graph = _graph(_parsed(texts["prompt"], path.name), path.name)
    try:
        workflow = _parsed(texts["workflow"], path.name) if "workflow" in texts else None
    except NotAGraph:
        workflow = None
    return Source(graph, tuple(_models(workflow)))


def _parsed(text: str, name: str) -> object:
    try:
        return json.loads(text, parse_constant=_no_constant)
    except RecursionError:
        raise NotAGraph(f"{name} is nested too deeply for a graph.") from None
    except ValueError as error:
        why = "a number that is none (NaN)" if str(error) == "constant" else "no valid JSON"
        raise NotAGraph(f"{name} holds {why}.") from None


def _no_constant(_: str) -> None:
    raise ValueError("constant")


def _graph(value: object, name: str) -> dict[str, Json]:
    """Return the graph that a file's JSON is, or that the body of POST /prompt holds."""
    graph = _unwrapped(value)
    if graph is None:
        raise NotAGraph(f"{name} holds no graph of ComfyUI.")
    if isinstance(graph.get("nodes"), list):
        raise NotAGraph(f"{name} is a workflow of the editor, not a graph. {HOW_TO_EXPORT}")
    if len(graph) > MOST_NODES:
        raise NotAGraph(f"{name} has more than {MOST_NODES} nodes.")
    if not any(isinstance(node, dict) and "class_type" in node for node in graph.values()):
        raise NotAGraph(f"{name} holds no graph of ComfyUI.")
    try:
        check_graph(graph)
        json.dumps(graph, ensure_ascii=False).encode()
    except GraphError as error:
        raise NotAGraph(str(error).replace("graph.json", name)) from None
    except (UnicodeEncodeError, RecursionError):
        raise NotAGraph(f"{name} holds text that is not valid Unicode.") from None
    return {key: _plain(node) for key, node in graph.items()}


def _plain(node: Json) -> Json:
    """Return a node without what a server adds when it runs it (`is_changed`)."""
    return {key: node[key] for key in ("class_type", "inputs", "_meta") if key in node}


def _unwrapped(value: object) -> Json | None:
    if not isinstance(value, dict):
        return None
    outer = cast("Json", value)
    inner = outer.get("prompt")
    return cast("Json", inner) if isinstance(inner, dict) and "class_type" not in inner else outer


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
