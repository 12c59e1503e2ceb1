"""Reads pipeline folders: `<name>/graph.json` (ComfyUI's API format) and `<name>/pipeline.json`.

Everything is checked strictly here, so that a mistake is one sentence at the start and no strange
failure later. Must not know HTTP or a running ComfyUI.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, cast

from .choices import TAKEN
from .graphs import RESULT, GraphError, check_graph, request_slots, results, widget
from .model_rows import ModelRowError, read_model
from .params import COMMON, LARGEST, PARAM_TYPES, Param, is_value
from .pipelines import IMAGE, TEXT, ModelFile, Pipeline, Slot
from .values import Json

Slots = Mapping[str, tuple[Slot, ...]]

_KEYS = (
    "title",
    "description",
    "rank",
    "requires",
    "vram",
    "params",
    "mapping",
    "outputs",
    "nodes",
    "models",
)
NAME = re.compile(r"[^\W_][\w.-]{0,63}")
_VERSION = re.compile(r"(\d+(\.\d+){0,3})?")
_COMMON = {param.name: param for param in COMMON}
_PARAM_KEYS = [field.name for field in fields(Param) if field.name != "name"]


class PipelineError(ValueError):
    """A pipeline folder can't be used; one sentence that names it and says what to change."""


def load_pipeline(place: Path) -> Pipeline:
    """Read one pipeline; its name is its folder's. Raises PipelineError."""
    try:
        manifest, graph = _read(place / "pipeline.json"), _read(place / "graph.json")
        return read_pipeline(place.name, manifest, graph)
    except (PipelineError, GraphError) as error:
        raise PipelineError(f"The pipeline {place.name!r} can't be used: {error}") from None


def read_pipeline(name: str, manifest: Json, graph: Json) -> Pipeline:
    """Check and join a manifest and a graph. Raises PipelineError or GraphError."""
    if not NAME.fullmatch(name):
        raise PipelineError("its name may hold only letters, digits, '-', '_' and '.'.")
    _known_keys(manifest, _KEYS, "pipeline.json")
    check_graph(graph)
    mapping = _mapping(manifest, graph)
    image_output, video_output = _outputs(manifest, graph)
    return Pipeline(
        name=name,
        title=_text(manifest, "title") or name,
        description=_text(manifest, "description"),
        graph=graph,
        params=_params(manifest, mapping, graph),
        mapping=mapping,
        video_output=video_output,
        image_output=image_output,
        nodes=_nodes(manifest, graph),
        models=_models(manifest),
        requires_comfyui=_version(manifest),
        rank=_rank(manifest),
        vram=_text(manifest, "vram"),
    )


def _read(path: Path) -> Json:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise PipelineError(f"it has no {path.name}.") from None
    except RecursionError:
        raise PipelineError(f"its {path.name} is nested too deeply.") from None
    except (OSError, ValueError):
        raise PipelineError(f"its {path.name} is not JSON.") from None
    if not isinstance(value, dict):
        raise PipelineError(f"its {path.name} must hold a JSON object.")
    return cast("Json", value)


def _mapping(manifest: Json, graph: Json) -> Slots:
    """Return where each parameter goes: the Request's widgets, and {"text": [["6", "text"]]}."""
    mapping = request_slots(graph, (IMAGE, TEXT, *_COMMON))
    for name, pairs in _dict(manifest.get("mapping", {}), "mapping").items():
        where = f"mapping.{name}"
        slots = tuple(_slot(pair, where) for pair in _list(pairs, where))
        for slot in slots:
            widget(graph, slot)
        mapping[name] = slots
    for name, is_missing in ((IMAGE, not mapping.get(IMAGE)), (TEXT, TEXT not in mapping)):
        if is_missing:
            raise PipelineError(
                f"nothing takes the {name}: add a PromptReelRequest node to the graph, or map "
                f"{name!r} to a widget in pipeline.json (a text may have none: [])."
            )
    return mapping


def _slot(pair: object, where: str) -> Slot:
    parts = [part for part in _list(pair, where) if isinstance(part, str)]
    if len(parts) != 2:
        raise PipelineError(f'"{where}" must hold pairs of texts like ["6", "text"].')
    return Slot(*parts)


def _outputs(manifest: Json, graph: Json) -> tuple[str | None, str]:
    """Return the nodes whose files are the image and the video; a Result node makes both."""
    named = _dict(manifest.get("outputs", {}), "outputs")
    _known_keys(named, ("image", "video"), "outputs")
    for node in named.values():
        if not isinstance(node, str) or node not in graph:
            raise PipelineError(f"the output node {node!r} is not in graph.json.")
    found = results(graph)
    own = found[0] if len(found) == 1 else None
    video = named.get("video", own)
    if video is None:
        raise PipelineError(
            f'which node makes the video? Use one {RESULT} node, or say "outputs": '
            '{"video": "<node>"} in pipeline.json.'
        )
    return named.get("image", own), video


def _params(manifest: Json, mapping: Slots, graph: Json) -> tuple[Param, ...]:
    """Return the declared parameters, and the common ones that the graph has a place for."""
    declared = _dict(manifest.get("params", {}), "params")
    for name in mapping:
        if name not in (IMAGE, TEXT, *_COMMON, *declared):
            raise PipelineError(f'{name!r} is mapped, but "params" does not declare it.')
    names = dict.fromkeys([*declared, *(name for name in _COMMON if mapping.get(name))])
    return tuple(_param(name, declared.get(name, {}), mapping, graph) for name in names)


def _param(name: str, given: object, mapping: Slots, graph: Json) -> Param:
    where = f"params.{name}"
    row = _dict(given, where)
    _known_keys(row, _PARAM_KEYS, where)
    if name in (IMAGE, TEXT) or not mapping.get(name):
        raise PipelineError(f'"{where}" has no widget: map {name!r} to one, or leave it out.')
    if name in TAKEN:
        raise PipelineError(f'"{where}" means another thing in a request: take another name.')
    base = _COMMON.get(name) or Param(name, _type(row, where))
    if row.get("type", base.type) != base.type:
        raise PipelineError(f'the "type" of "{where}" is always {base.type!r}.')
    changes = {key: value for key, value in row.items() if key != "default"}
    if "choices" in row:
        changes["choices"] = tuple(map(str, _list(row["choices"], where)))
    _text(row, "help")
    param = replace(base, **changes)
    _check_limits(param, where)
    own = widget(graph, mapping[name][0])
    default = row.get("default", own if is_value(param, own) else None)
    if default is not None and not is_value(param, default):
        raise PipelineError(f'the default of "{where}" is not one of its values.')
    return replace(param, default=default)


def _type(row: Json, where: str) -> Any:  # noqa: ANN401  one of ParamType's texts
    kind = row.get("type")
    if kind not in PARAM_TYPES:
        raise PipelineError(f'"{where}" needs a "type": one of {", ".join(PARAM_TYPES)}.')
    return kind


def _check_limits(param: Param, where: str) -> None:
    if not (_is_limit(param.minimum) and _is_limit(param.maximum)):
        raise PipelineError(f'minimum and maximum of "{where}" must be numbers.')
    if param.type == "enum" and not param.choices:
        raise PipelineError(f'"{where}" needs "choices".')


def _is_limit(value: object) -> bool:
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        return value is None
    return -LARGEST <= value <= LARGEST


def _nodes(manifest: Json, graph: Json) -> tuple[str, ...]:
    """Return every node class of the graph, and those that its nodes only bring in."""
    named = map(str, _list(manifest.get("nodes", []), "nodes"))
    return tuple(dict.fromkeys([*(node["class_type"] for node in graph.values()), *named]))


def _models(manifest: Json) -> tuple[ModelFile, ...]:
    rows = _list(manifest.get("models", []), "models")
    try:
        files = tuple(read_model(_dict(row, "models")) for row in rows)
    except ModelRowError as error:
        raise PipelineError(str(error)) from None
    places = [(file.folder, file.name) for file in files]
    for folder, name in places:
        if places.count((folder, name)) > 1:
            raise PipelineError(f'{name} in {folder} is twice in "models".')
    return files


def _version(manifest: Json) -> str:
    value = _text(manifest, "requires")
    if not _VERSION.fullmatch(value):
        raise PipelineError('"requires" must be a version of ComfyUI like "0.3.64".')
    return value


def _rank(manifest: Json) -> int:
    value = manifest.get("rank", 0)
    if not isinstance(value, int) or isinstance(value, bool):
        raise PipelineError('"rank" must be a whole number.')
    return value


def _text(manifest: Json, key: str) -> str:
    value = manifest.get(key, "")
    if not isinstance(value, str):
        raise PipelineError(f'"{key}" must be a text.')
    return value


def _dict(value: object, where: str) -> Json:
    if not isinstance(value, dict):
        raise PipelineError(f'"{where}" must be an object.')
    return cast("Json", value)


def _list(value: object, where: str) -> list[Any]:
    if not isinstance(value, list):
        raise PipelineError(f'"{where}" must be a list.')
    return cast("list[Any]", value)


def _known_keys(value: Json, known: Collection[str], where: str) -> None:
    unknown = [key for key in value if key not in known]
    if unknown:
        listed = ", ".join(known)
        raise PipelineError(f'"{where}" has an unknown {unknown[0]!r}: known are {listed}.')
