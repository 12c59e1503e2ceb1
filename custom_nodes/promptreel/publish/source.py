"""A graph in the API format, taken out of the JSON that somebody gives. Pure.

Everything in it may be hostile: each kind of wrong graph is one sentence, which calls it by the
name that the person knows (a file's). Must not know what nodes mean.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from typing import cast

from .errors import NotAGraph
from .graphs import GraphError, check_graph
from .values import Json

MOST_NODES = 5000
DEEPEST = 100  # lists and objects in each other: what copies them goes down a stack

HOW_TO_EXPORT = (
    "In ComfyUI open it and choose Workflow > Export (API), then give the file that this saves."
)


def parsed(text: str, name: str) -> object:
    """Return what a JSON text holds. Raises NotAGraph."""
    try:
        value = json.loads(text, parse_constant=_no_constant, parse_float=_finite)
        _check_depth(value)
    except RecursionError:
        raise NotAGraph(f"{name} is nested too deeply for a graph.") from None
    except ValueError as error:
        why = "a number that is none (NaN)" if str(error) == "constant" else "no valid JSON"
        raise NotAGraph(f"{name} holds {why}.") from None
    return value


def _check_depth(value: object) -> None:
    """Raise RecursionError for what is nested deeper than any graph is."""
    level, depth = [value], 0
    while level:
        if depth > DEEPEST:
            raise RecursionError
        level = [inner for one in level for inner in _inner(one)]
        depth += 1


def _inner(value: object) -> Iterable[object]:
    if isinstance(value, dict):
        return cast("Json", value).values()
    return cast("list[object]", value) if isinstance(value, list) else ()


def _no_constant(_: str) -> None:
    raise ValueError("constant")


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError("constant")
    return value


def graph_of(value: object, name: str) -> dict[str, Json]:
    """Return the graph that a file's JSON is, or that the body of POST /prompt holds.

    Raises NotAGraph.
    """
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
        _check_depth(graph)
        check_graph(graph)
        json.dumps(graph, ensure_ascii=False).encode()
    except GraphError as error:
        raise NotAGraph(str(error).replace("graph.json", name)) from None
    except RecursionError:
        raise NotAGraph(f"{name} is nested too deeply for a graph.") from None
    except UnicodeEncodeError:
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
