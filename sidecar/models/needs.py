"""What is there of the model files that a pipeline needs.

Knows files and their sizes. Must not know where a missing one comes from.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from sidecar.pipelines import ModelFile

from .folders import ComfyFolder

_ABOUT = 0.01  # sizes in pipelines are often rounded, as model pages tell them


class State(str, Enum):
    """What is there of a file."""

    THERE = "there"
    OTHER_SIZE = "other size"  # a file of that name, but not that size: broken off, or another one
    BEGUN = "begun"  # a download that can go on
    MISSING = "missing"


@dataclass(frozen=True)
class Found:
    """A model file, and what is there of it. `path`: where it is, or goes. `bytes`: on disk."""

    model: ModelFile
    state: State
    path: Path
    on_disk: int = 0


def look(model: ModelFile, comfy: ComfyFolder) -> Found:
    """Return what is there of a model file."""
    there = comfy.find(model.folder, model.name)
    if there is not None:
        count = there.stat().st_size
        state = State.THERE if _is_about(count, model.size) else State.OTHER_SIZE
        return Found(model, state, there, count)
    target = comfy.destination(model.folder, model.name)
    begun = sum(part.stat().st_size for part in parts_of(target))
    return Found(model, State.BEGUN if begun else State.MISSING, target, begun)


def parts_of(target: Path) -> list[Path]:
    """Return the unfinished downloads of a file; ComfyUI never lists such names."""
    if not target.parent.is_dir():
        return []
    start = f"{target.name}."
    return [
        path
        for path in target.parent.iterdir()
        if path.suffix == ".part" and path.name.startswith(start)
    ]


def part_of(target: Path, version: str) -> Path:
    """Return where a version of a file lies until it is whole."""
    return target.with_name(f"{target.name}.{version[:12]}.part")


def _is_about(count: int, told: int | None) -> bool:
    return told is None or abs(count - told) <= told * _ABOUT
