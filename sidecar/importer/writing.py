"""Where `pipelines add` writes to, and what is said if that can't be. Knows files, not graphs."""

from __future__ import annotations

from pathlib import Path

from sidecar.manifest import bundled_folder
from sidecar.rules import ImportFailure, Pipeline, PipelineError, put
from sidecar.values import Json


def check_name(name: str, folder: Path, force: bool) -> Path:
    """Return the place of a new pipeline. Raises ImportFailure if it is taken."""
    place = folder / name
    if (bundled_folder() / name).exists() and bundled_folder() != folder:
        raise ImportFailure(
            f"{name!r} is a pipeline that comes with PromptReel: choose another by --name."
        )
    if place.exists() and not force:
        raise ImportFailure(
            f"There is a pipeline {name!r} already: choose another by --name, or replace it by "
            "--force."
        )
    return place


def write(place: Path, manifest: Json, graph: dict[str, Json]) -> Pipeline:
    """Write a pipeline's folder, whole or not at all. What was there is replaced.

    Raises ImportFailure.
    """
    try:
        return put(place, manifest, graph)
    except OSError as error:
        raise ImportFailure(
            f"The pipeline can't be written into {place}: {error.strerror or error}."
        ) from None
    except PipelineError as error:
        raise ImportFailure(str(error)) from None
