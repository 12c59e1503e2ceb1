"""Writes a pipeline's folder whole or not at all, and proves it by reading it back.

Knows files; must not know graphs.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import cast

from .errors import ImportFailure
from .manifest import load_pipeline, read_pipeline
from .pipelines import Pipeline
from .values import Json

_SHORT = 60  # characters of a value that stays on its key's line


def name_of(stem: str) -> str:
    """Return a pipeline's name made of a file's: letters, digits, '-', '_' and '.'."""
    plain = re.sub(r"[^\w.-]+", "-", stem).strip("-._")[:64]
    return plain or "pipeline"


def proved(name: str, manifest: Json, graph: dict[str, Json]) -> Pipeline:
    """Return the pipeline that the service will see. Raises ImportFailure."""
    try:
        return read_pipeline(name, manifest, dict(graph))
    except ValueError as error:
        raise ImportFailure(f"That makes no pipeline: {error}") from None


def put(place: Path, manifest: Json, graph: Mapping[str, Json]) -> Pipeline:
    """Write graph.json and pipeline.json, read them back, and put them in place at once.

    What was there is replaced. Raises OSError, and PipelineError for what is no pipeline.
    """
    place.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=place.parent, prefix=".new-") as made:
        new = Path(made) / place.name
        new.mkdir()
        _save(new / "graph.json", graph_text(graph))
        _save(new / "pipeline.json", manifest_text(manifest))
        pipeline = load_pipeline(new)
        _into_place(new, place, Path(made) / "old")
    return pipeline


def _into_place(new: Path, place: Path, old: Path) -> None:
    if place.exists():
        place.rename(old)
    try:
        new.rename(place)
    except OSError:
        if old.exists():
            old.rename(place)
        raise
    shutil.rmtree(old, ignore_errors=True)


def _save(path: Path, text: str) -> None:
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def graph_text(graph: Mapping[str, Json]) -> str:
    """One node a line: short, and readable in a comparison."""
    lines = (
        f"  {json.dumps(key)}: {json.dumps(node, ensure_ascii=False)}"
        for key, node in graph.items()
    )
    return "{\n" + ",\n".join(lines) + "\n}\n"


def manifest_text(manifest: Json) -> str:
    """One parameter or model file a line, as the pipelines that come along are written."""
    return (
        "{\n"
        + ",\n".join(f'  "{key}": {_rows(value)}' for key, value in manifest.items())
        + "\n}\n"
    )


def _rows(value: object) -> str:
    dumped = json.dumps(value, ensure_ascii=False)
    if len(dumped) <= _SHORT or not isinstance(value, (dict, list)):
        return dumped
    if isinstance(value, dict):
        rows = cast("Json", value).items()
        inner = [f"    {json.dumps(k)}: {json.dumps(v, ensure_ascii=False)}" for k, v in rows]
        return "{\n" + ",\n".join(inner) + "\n  }"
    inner = [f"    {json.dumps(v, ensure_ascii=False)}" for v in cast("list[object]", value)]
    return "[\n" + ",\n".join(inner) + "\n  ]"
