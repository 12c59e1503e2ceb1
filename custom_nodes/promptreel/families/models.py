"""The model files that families know by name: the rows of `data/models.json`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from .values import ModelFile, Slot

_DATA = Path(__file__).with_name("data") / "models.json"


@cache
def model_files() -> Mapping[str, ModelFile]:
    """Return every known file by its name."""
    rows = json.loads(_DATA.read_text(encoding="utf-8"))["models"]
    return {row["name"]: ModelFile(**row) for row in rows}


def slot(role: str, *names: str, optional: bool = False) -> Slot:
    """Return a slot whose official files are these, which all live in one folder."""
    files = tuple(model_files()[name] for name in names)
    return Slot(role, files[0].folder, files, optional)
