"""Reads the header of a safetensors file: names, shapes and metadata, never a weight.

The format: eight bytes of length (little endian), then that much JSON. Must not know a family.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from .errors import HeaderError

MAX_HEADER = 100_000_000  # bytes; the limit of the safetensors library itself
_SUFFIXES = (".safetensors", ".sft")
Shape = tuple[int, ...]
_UNREADABLE = (
    OSError,
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    ArithmeticError,
    RecursionError,
)


@dataclass(frozen=True)
class Header:
    """What a model file says about itself; no shapes where its format has no header to read."""

    name: str
    shapes: Mapping[str, Shape] = field(default_factory=dict[str, Shape])
    metadata: Mapping[str, str] = field(default_factory=dict[str, str])


def read_header(path: Path | str, name: str | None = None) -> Header:
    """Return the header of a file, empty for formats other than safetensors (.ckpt, .pt, .gguf).

    Raises HeaderError if a safetensors file is cut off, empty or not one at all.
    """
    path = Path(path)
    name = name or path.name
    if path.suffix.lower() not in _SUFFIXES:
        return Header(name)
    try:
        rows = _parsed(path)
        metadata = cast("dict[str, Any]", rows.pop("__metadata__", None) or {})
        shapes = {key: _shape(row) for key, row in rows.items()}
        return Header(name, shapes, {key: str(value) for key, value in metadata.items()})
    except _UNREADABLE as error:
        raise HeaderError(
            f"{name} can't be read as a model file (damaged or only partly downloaded): "
            "download it again."
        ) from error


def _parsed(path: Path) -> dict[str, Any]:
    size = path.stat().st_size
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if not 2 <= length <= min(size - 8, MAX_HEADER):
            raise ValueError("the header's length is not possible")
        rows = json.loads(file.read(length))
    if not isinstance(rows, dict):
        raise TypeError("the header is not an object")
    rows = cast("dict[str, Any]", rows)
    if _end(rows) > size - 8 - length:
        raise ValueError("the file ends before its tensors do")
    return rows


def _end(rows: Mapping[str, Any]) -> int:
    """Return where the last tensor ends, counted from the header's end."""
    ends = (int(row["data_offsets"][1]) for key, row in rows.items() if key != "__metadata__")
    return max(ends, default=0)


def _shape(row: Mapping[str, Any]) -> Shape:
    return tuple(int(side) for side in row["shape"])
