"""JSON Schemas of the answers, out of `sidecar.http.bodies`. Must not know routes.

The library that makes them is slow to load: import this module in a thread, when it is needed.
"""

from __future__ import annotations

from typing import Any, cast

from pydantic import ConfigDict, TypeAdapter

from sidecar.http import bodies
from sidecar.values import Json

REF = "#/components/schemas/"

_ANSWERS = tuple[
    bodies.ErrorBody,
    bodies.Health,
    bodies.JobBody,
    bodies.JobList,
    bodies.PipelineList,
    bodies.PreviewBody,
    bodies.Ready,
    bodies.SceneBody,
    bodies.ServerList,
    bodies.Uploaded,
    bodies.Video,
    bodies.WebhookBody,
    bodies.Welcome,
]


def answers() -> Json:
    """Return the schema of each answer by its name; nothing that is not in one is ever sent."""
    config = ConfigDict(use_attribute_docstrings=True, extra="forbid")
    adapter = TypeAdapter[Any](_ANSWERS, config=config)
    schema = adapter.json_schema(ref_template=REF + "{model}", mode="serialization")
    defs: object = schema["$defs"]
    return cast("Json", _untitled(defs))


def _untitled(value: object) -> object:
    """Leave out the titles, which only repeat the names; of properties that are named so, none."""
    if isinstance(value, dict):
        pairs = cast("Json", value).items()
        return {
            name: _untitled(part)
            for name, part in pairs
            if name != "title" or not isinstance(part, str)
        }
    if isinstance(value, list):
        return [_untitled(part) for part in cast("list[object]", value)]
    return value
