"""JSON of unknown shape, read without surprises: what is not the expected kind counts as empty."""

from __future__ import annotations

from typing import Any, cast

from sidecar.values import Json


def an_object(value: object) -> Json:
    """Return the object, or an empty one."""
    return cast("Json", value) if isinstance(value, dict) else {}


def a_list(value: object) -> list[Any]:
    """Return the list, or an empty one."""
    return cast("list[Any]", value) if isinstance(value, list) else []


def objects(value: object) -> list[Json]:
    """Return the objects of a list."""
    return [cast("Json", item) for item in a_list(value) if isinstance(item, dict)]
