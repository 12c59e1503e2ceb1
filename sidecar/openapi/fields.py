"""What /api/generate accepts as JSON Schema, out of the rows that check it. Pure.

Must not know routes, or how a body is read.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from sidecar.http.visible import BLANK, VISIBLE
from sidecar.orders import HELP, MAX_TEXT, REQUIRED
from sidecar.pipelines import Pipeline
from sidecar.rules import COMMON, Param
from sidecar.values import Json
from sidecar.webhooks.address import LONGEST

from .samples import requests
from .schemas import REF

GENERATE = "GenerateRequest"
_COMMON_HELP = {param.help for param in COMMON}
_LONGEST: Mapping[str, int] = {"text": MAX_TEXT, "webhookUrl": LONGEST}


def request_schemas(pipelines: Mapping[str, Pipeline]) -> Json:
    """Return the body of /api/generate, and what each pipeline narrows it to, by name."""
    narrowed = {pipeline_schema_name(name): _of_pipeline(one) for name, one in pipelines.items()}
    return {GENERATE: _common(pipelines), **narrowed}


def pipeline_schema_name(name: str) -> str:
    """Return a pipeline's name among the schemas, where few characters are allowed."""
    return "Pipeline." + re.sub(r"[^A-Za-z0-9._-]", lambda found: f"_{ord(found[0]):x}_", name)


def _common(pipelines: Mapping[str, Pipeline]) -> Json:
    rows = [*COMMON, *(param for pipeline in pipelines.values() for param in pipeline.params)]
    by_name: dict[str, list[Param]] = {}
    for param in rows:
        by_name.setdefault(param.name, []).append(param)
    return {
        "type": "object",
        "description": "A picture and a text, and how the video is to be. Blank fields, and null "
        "in JSON, count as absent. Which of the others a pipeline takes, and its limits: see its "
        "own schema.",
        "required": list(REQUIRED),
        "properties": {
            **_own(pipelines),
            **{name: nullable(_widest(params)) for name, params in by_name.items()},
        },
        "additionalProperties": False,
        "allOf": [_if_named(name) for name in pipelines],
    }


def _if_named(name: str) -> Json:
    named = {"properties": {"comfyPipeline": {"const": name}}, "required": ["comfyPipeline"]}
    return {"if": named, "then": {"$ref": REF + pipeline_schema_name(name)}}


def _of_pipeline(pipeline: Pipeline) -> Json:
    return {
        "type": "object",
        "title": pipeline.title,
        "description": pipeline.description,
        "properties": {
            **dict.fromkeys(HELP, True),
            **{param.name: nullable(value_schema(param)) for param in pipeline.params},
        },
        "additionalProperties": False,
    }


def _own(pipelines: Mapping[str, Pipeline]) -> Json:
    schemas: Json = {}
    example = next(iter(requests().values()))
    for name, help_text in HELP.items():
        schema: Json = {"type": "string", "description": f"{help_text[0].upper()}{help_text[1:]}."}
        if name in _LONGEST:
            schema["maxLength"] = _LONGEST[name]
        if name in REQUIRED:
            schema |= {"minLength": 1, "pattern": VISIBLE, "examples": [example[name]]}
        schemas[name] = schema
    schemas["comfyPipeline"]["enum"] = list(pipelines)
    return {name: one if name in REQUIRED else nullable(one) for name, one in schemas.items()}


def nullable(schema: Json) -> Json:
    """Return the schema of a value that may be blank, or null in JSON: both count as not sent."""
    if "enum" in schema:
        about = {name: schema[name] for name in ("description", "default") if name in schema}
        value = {name: part for name, part in schema.items() if name not in about}
        return {**about, "anyOf": [value, {"type": ["string", "null"], "pattern": BLANK}]}
    if "type" not in schema:
        return schema
    if schema["type"] == "string":
        return {**schema, "type": ["string", "null"]}
    return {**schema, "type": [schema["type"], "string", "null"], "pattern": BLANK}


def value_schema(param: Param) -> Json:
    """Return what a parameter's value may be."""
    schema: Json = {"type": "string" if param.type == "enum" else param.type}
    if param.type == "enum":
        schema["enum"] = list(param.choices)
    low, high = ("minLength", "maxLength") if param.type == "string" else ("minimum", "maximum")
    schema |= _given(**{low: param.minimum, high: param.maximum, "default": param.default})
    return schema | ({"description": param.help} if param.help else {})


def _widest(params: Iterable[Param]) -> Json:
    """Return what holds for all rows of one name: each allows no more than this."""
    schemas = [value_schema(param) for param in params]
    kinds, said = ({schema.get(name) for schema in schemas} for name in ("type", "description"))
    shared = len(said) == 1 or schemas[0]["description"] in _COMMON_HELP
    about = schemas[0].get("description", "") if shared else "Each pipeline's own schema tells."
    if len(kinds) > 1:
        return {"description": about}
    widest: Json = {"type": kinds.pop(), "description": about}
    for name, widen in (("minimum", min), ("maximum", max), ("minLength", min), ("maxLength", max)):
        if all(name in schema for schema in schemas):
            widest[name] = widen(schema[name] for schema in schemas)
    if all("enum" in schema for schema in schemas):
        widest["enum"] = list(dict.fromkeys(x for schema in schemas for x in schema["enum"]))
    return widest


def _given(**values: Any) -> Json:  # noqa: ANN401  JSON values
    whole = {k: int(v) if isinstance(v, float) and v.is_integer() else v for k, v in values.items()}
    return {name: value for name, value in whole.items() if value is not None}
