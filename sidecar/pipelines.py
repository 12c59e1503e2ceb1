"""Pipelines as requests ask for them: by name, with texts as parameters. Pure.

What a pipeline is, how it is checked and bound, are the pack's rules (`rules`). Must not know HTTP,
files or ComfyUI's protocol (`manifest` reads the folders).
"""

from __future__ import annotations

from collections.abc import Mapping

from .errors import BadRequest
from .rules import IMAGE, TEXT, ModelFile, Pipeline, Slot, bind, typed

__all__ = ["IMAGE", "TEXT", "ModelFile", "Pipeline", "Slot", "bind", "check_params", "find"]


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
