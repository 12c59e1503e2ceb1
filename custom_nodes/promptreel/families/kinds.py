"""Tells from a header what a model file surely is, and refuses it in the wrong place.

The rules are rows of `data/kinds.json`: keys a kind has (with sizes of some axes) and lacks. A file
that no rule, or more than one, fits is unknown, and an unknown file is never refused. A LoRA is
told by what its layers are called.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from .base import Model
from .errors import FamilyError
from .headers import Header, Shape

_DATA = Path(__file__).with_name("data") / "kinds.json"


@dataclass(frozen=True)
class Kind:
    """A sort of model file. `home` is the title of the family whose loader takes it, or ""."""

    id: str
    title: str
    home: str
    has: tuple[tuple[str, tuple[tuple[int, int], ...]], ...]
    lacks: tuple[str, ...]

    def fits(self, shapes: Mapping[str, Shape], prefix: str) -> bool:
        """Tell whether all that the kind has is there below a prefix, and nothing it lacks."""
        there = all(_agrees(shapes.get(prefix + key), sizes) for key, sizes in self.has)
        return there and not any(prefix + key in shapes for key in self.lacks)


def kind_of(header: Header) -> Kind | None:
    """Return what a file surely is; None if that can't be seen."""
    prefixes, rows = _rules()
    found = [kind for kind in rows.values() if any(kind.fits(header.shapes, p) for p in prefixes)]
    return found[0] if len(found) == 1 else None


def kinds_of(headers: Mapping[str, Header]) -> dict[str, str]:
    """Return what files surely are, role -> a kind's id, without those that can't be told."""
    found = {role: kind_of(header) for role, header in headers.items()}
    return {role: kind.id for role, kind in found.items() if kind}


def expect(family: Model, headers: Mapping[str, Header], role: str, *wanted: str) -> None:
    """Raise FamilyError if the file of a role is surely of none of the wanted kinds."""
    header = headers.get(role)
    found = kind_of(header) if header else None
    if header is None or found is None or found.id in wanted:
        return
    need = " or ".join(_rules()[1][name].title for name in wanted)
    raise FamilyError(
        f"{header.name} is {found.title}, but {family.title} needs {need} as its "
        f"{role.replace('_', ' ')}: choose {_official(family, role)}{_elsewhere(family, found)}."
    )


def apart(family: Model, headers: Mapping[str, Header], one: str, other: str) -> None:
    """Raise FamilyError if two roles have the same file, or surely files of the same kind."""
    first, second = headers.get(one), headers.get(other)
    if first is None or second is None:
        return
    kind = kind_of(first)
    if first.name == second.name:
        wrong = f"{first.name} is chosen twice"
    elif kind and kind == kind_of(second):
        wrong = f"{first.name} and {second.name} are both {kind.title}"
    else:
        return
    raise FamilyError(
        f"{wrong}, but {family.title} needs two text encoders: "
        f"choose {_official(family, one)} and {_official(family, other)}."
    )


def expect_lora(family: Model, headers: Mapping[str, Header], role: str, layers: str) -> None:
    """Raise FamilyError if a role's file surely changes no layers of that name, or is no LoRA."""
    header = headers.get(role)
    if header is None:
        return
    kind, changed = kind_of(header), _lora_layers(header)
    if kind:
        wrong = kind.title
    elif changed and layers not in changed:
        wrong = "a LoRA for another model"
    else:
        return
    raise FamilyError(
        f"{header.name} is {wrong}, but {family.title} needs a LoRA of its own as its "
        f"{role.replace('_', ' ')}: choose {_official(family, role)}."
    )


def _lora_layers(header: Header) -> set[str]:
    """Return the names of the layers that a LoRA changes, of those that are known."""
    found = (_lora_key().match(key) for key in header.shapes if "lora" in key)
    return {match[1] for match in found if match}


@cache
def _lora_key() -> re.Pattern[str]:
    data = json.loads(_DATA.read_text(encoding="utf-8"))
    prefixes = "|".join(map(re.escape, data["lora_prefixes"]))
    return re.compile(f"(?:{prefixes})*({'|'.join(data['lora_layers'])})[._]")


def _official(family: Model, role: str) -> str:
    slot = next(slot for slot in family.slots if slot.role == role)
    return slot.official[0].name


def _elsewhere(family: Model, found: Kind) -> str:
    """Return the hint to another loader that takes such a file."""
    known = found.home and found.home != family.title
    return f", or use the loader {found.home} for it" if known else ""


def _agrees(shape: Shape | None, sizes: tuple[tuple[int, int], ...]) -> bool:
    if shape is None:
        return False
    return all(axis < len(shape) and shape[axis] == size for axis, size in sizes)


@cache
def _rules() -> tuple[tuple[str, ...], Mapping[str, Kind]]:
    data = json.loads(_DATA.read_text(encoding="utf-8"))
    kinds = {name: _kind(name, row) for name, row in data["kinds"].items()}
    return tuple(data["prefixes"]), kinds


def _kind(name: str, row: Mapping[str, Any]) -> Kind:
    has = tuple(
        (key, tuple((int(axis), size) for axis, size in sizes.items()))
        for key, sizes in row["has"].items()
    )
    return Kind(name, row["title"], row["home"], has, tuple(row["lacks"]))
