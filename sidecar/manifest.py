"""Reads folders of pipelines: each holds `graph.json` (ComfyUI's API format) and `pipeline.json`.

Each is checked strictly when it is read, by the pack's rules, so that a mistake is one sentence at
the start and no strange failure later. Must not know HTTP or a running ComfyUI.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from .rules import Pipeline, PipelineError, load_pipeline, read_pipeline

__all__ = [
    "PipelineError",
    "bundled_folder",
    "load_pipeline",
    "load_pipelines",
    "read_pipeline",
]


def bundled_folder() -> Path:
    """Return the folder of our own pipelines: inside the installed package, or the checkout's."""
    here = Path(__file__).parent
    inside = here / "workflows"
    return inside if inside.is_dir() else here.parent / "workflows"


def load_pipelines(folders: Iterable[Path]) -> dict[str, Pipeline]:
    """Read all pipelines of the folders; of one name the earlier folder's is used.

    Raises PipelineError; also for a folder that is not there.
    """
    found: dict[str, Pipeline] = {}
    for folder in folders:
        if not folder.is_dir():
            raise PipelineError(f"There is no folder of pipelines at {folder}.")
        for place in sorted(folder.iterdir()):
            if (place / "pipeline.json").is_file() and place.name not in found:
                found[place.name] = load_pipeline(place)
    return found
