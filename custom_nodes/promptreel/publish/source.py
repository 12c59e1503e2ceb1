"""A graph in the API format, taken out of the JSON that somebody gives. Pure.

Everything in it may be hostile: each kind of wrong graph is one sentence, which calls it by the
name that the person knows (a file's). Must not know what nodes mean.
"""

from __future__ import annotations

import json
from typing import cast

from .errors import NotAGraph
from .graphs import GraphError, check_graph
from .values import Json

MOST_NODES = 5000

HOW_TO_EXPORT = (
    "In ComfyUI open it and choose Workflow > Export (API), then give the file that this saves."
)


def parsed(text: str, name: str) -> object:
    """Return what a JSON text holds. Raises NotAGraph."""
    try:
        return json.loads(text, parse_constant=_no_constant)
    except RecursionError:
        raise NotAGraph(f"{name} is nested too deeply for a graph.") from None
    except ValueError as error:
        why = "a number that is none (NaN)" if str(error) == "constant" else "no valid JSON"
        raise NotAGraph(f"{name} holds {why}.") from None


def _no_constant(_: str) -> None:
    raise ValueError("constant")


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
