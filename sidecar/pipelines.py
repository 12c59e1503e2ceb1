"""Pipelines as requests ask for them: by name, with texts as parameters. Pure.

What a pipeline is, how it is checked and bound, are the pack's rules (`rules`). Must not know HTTP,
files or ComfyUI's protocol (`manifest` reads the folders).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from .errors import BadRequest
from .rules import (
    IMAGE,
    TEXT,
    ModelFile,
    Pipeline,
    PipelineError,
    Slot,
    bind,
    read_pipeline,
    typed,
)
from .values import Json, keyed

__all__ = [
    "IMAGE",
    "TEXT",
    "ModelFile",
    "Pipeline",
    "Published",
    "Slot",
    "bind",
    "check_params",
    "find",
    "kept_of",
    "key_of",
    "publish",
    "read_kept",
]


@dataclass(frozen=True)
class Published(Pipeline):
    """A pipeline that somebody published on a ComfyUI. `kept`: what it was read from, and its
    digest; a job keeps it, so that it runs what it was accepted with.
    """

    kept: Json = field(default_factory=dict[str, Json])


def publish(pipeline: Pipeline, manifest: Json) -> Published:
    """Return a pipeline as one that was published with that manifest."""
    source = {"manifest": manifest, "graph": dict(pipeline.graph)}
    text = json.dumps([pipeline.name, source], sort_keys=True)
    digest = hashlib.sha256(text.encode()).hexdigest()[:12]
    return Published(**vars(pipeline), kept={**source, "digest": digest})


def kept_of(pipeline: Pipeline) -> Json | None:
    """Return what a job keeps of its pipeline; None of the service's own."""
    return pipeline.kept if isinstance(pipeline, Published) else None


def key_of(pipeline: Pipeline) -> str:
    """Return what tells a pipeline from others: two servers may have two of one name."""
    return keyed(pipeline.name, kept_of(pipeline))


def read_kept(name: str, kept: Json) -> Pipeline | None:
    """Return the pipeline that a job keeps; None if this version of the rules refuses it."""
    try:
        return publish(read_pipeline(name, kept["manifest"], kept["graph"]), kept["manifest"])
    except (PipelineError, ValueError, KeyError):
        return None


def find(pipelines: Mapping[str, Pipeline], name: str) -> Pipeline:
    """Return the pipeline of that name. Raises BadRequest, listing the known ones."""
    if name in pipelines:
        return pipelines[name]
    known = ", ".join(pipelines)
    raise BadRequest(
        f"There is no pipeline {name[:60]!r}: known are {known}.",
        code="unknown_pipeline",
        fields={"comfyPipeline": f"unknown; known are {known}"},
    )


def check_params(pipeline: Pipeline, raw: Mapping[str, str]) -> dict[str, object]:
    """Return typed values, defaults included, of the texts in `raw`.

    A parameter that is neither given nor has a default is left out. "text" is kept as it is.
    Raises BadRequest with every wrong name in `fields`, each reason naming the limits.
    """
    values, wrong = typed(pipeline, raw)
    if wrong:
        said = "; ".join(f"{name} {reason}" for name, reason in wrong.items())
        limits = f"Those are the limits of the pipeline {pipeline.name!r}"
        hint = f"{limits}; GET /api/pipelines tells the others', to be named by comfyPipeline."
        raise BadRequest(f"{said}.", details=hint, fields=wrong)
    return values
