"""Names of model files as a server's system spells them: a loader there refuses every other.

A pipeline says "sub/a.safetensors"; a ComfyUI on Windows lists, and takes, "sub\\a.safetensors".
Pure. Must not know clients or jobs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from sidecar.pipelines import Pipeline
from sidecar.values import Json


def plain(name: str) -> str:
    """Return a model's name as pipelines spell it."""
    return name.replace("\\", "/")


def spelled(pipeline: Pipeline, *, windows: bool) -> Pipeline:
    """Return the pipeline with its models' names as the server takes them."""
    names = {model.name for model in pipeline.models if "/" in model.name}
    if not names:
        return pipeline
    separator = "\\" if windows else "/"
    graph = {key: _node(node, names, separator) for key, node in pipeline.graph.items()}
    return replace(pipeline, graph=graph)


def _node(node: Json, names: set[str], separator: str) -> Json:
    inputs: Mapping[str, object] = node.get("inputs") or {}
    changed = {
        name: plain(value).replace("/", separator)
        for name, value in inputs.items()
        if isinstance(value, str) and plain(value) in names
    }
    return {**node, "inputs": {**inputs, **changed}} if changed else node
