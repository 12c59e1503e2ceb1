"""The model files of this ComfyUI, for a family's file widgets: choices, and what is missing.

Knows folder_paths and the families' slots; must not know nodes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath

import folder_paths

from ..families import FamilyError
from ..families.base import Header, ModelFile, Slot
from ..families.headers import read_header

NONE = "none"  # the choice of a slot that may stay empty
MISSING = "missing: "


def choices(slot: Slot) -> list[str]:
    """Return the options of a slot's widget, the one to preselect first.

    Official files come first, wherever in the folder they are; if there is none, an entry that
    says which one is missing, how large it is and where it goes.
    """
    names = folder_paths.get_filename_list(slot.folder)
    official = [name for file in slot.official for name in names if _bare(name) == file.name]
    first = official or [MISSING + _whereabouts(slot.official[0], slot.folder)]
    rest = [name for name in names if name not in official]
    return [*first, *rest, *([NONE] if slot.optional else [])]


def chosen(slots: Iterable[Slot], values: Mapping[str, str | None]) -> dict[str, str]:
    """Return the files that widgets name, role -> name in its folder, without the empty ones.

    A file is also found by its bare name where it lies in a subfolder.
    """
    named = {slot.role: _found(slot, values.get(slot.role)) for slot in slots}
    return {role: name for role, name in named.items() if name}


def absent(slots: Iterable[Slot], values: Mapping[str, str | None]) -> str:
    """Return a sentence for each file that is not there, or "". None comes by a link: later."""
    gone = [_gone(slot, values.get(slot.role, "")) for slot in slots]
    return " ".join(sentence for sentence in gone if sentence)


def headers(slots: Iterable[Slot], files: Mapping[str, str]) -> dict[str, Header]:
    """Read the headers of chosen files: kilobytes, whatever the files weigh."""
    found = {slot.role: files[slot.role] for slot in slots if slot.role in files}
    folders = {slot.role: slot.folder for slot in slots}
    return {role: read_header(_path(folders[role], name), name) for role, name in found.items()}


def size(count: int) -> str:
    """Return bytes as people say them: 242 MB, 13.3 GB."""
    if count >= 1e9:
        return f"{count / 1e9:.3g} GB"
    return f"{max(count / 1e6, 1):.0f} MB"


def _bare(name: str) -> str:
    return PurePosixPath(name.replace("\\", "/")).name


def _found(slot: Slot, value: str | None) -> str | None:
    if not value or value == NONE or value.startswith(MISSING):
        return None
    names = folder_paths.get_filename_list(slot.folder)
    if value in names:
        return value
    return next((name for name in names if _bare(name) == _bare(value)), None)


def _gone(slot: Slot, value: str | None) -> str:
    if value is None or _found(slot, value):
        return ""
    official = slot.official[0]
    wanted = "" if value == NONE or value.startswith(MISSING) else _bare(value)
    known = next((file for file in slot.official if file.name == wanted), None)
    if known or not wanted:
        place = _whereabouts(known or official, slot.folder)
        return f"A model file is missing: download {place} of ComfyUI, then press R and choose it."
    return (
        f"There is no file {wanted} in models/{slot.folder}: choose another one as {slot.role}, "
        f"or download {_whereabouts(official, slot.folder)}."
    )


def _whereabouts(file: ModelFile, folder: str) -> str:
    weight = f" ({size(file.bytes)})" if file.bytes else ""
    return f"{file.name}{weight} to models/{folder}"


def _path(folder: str, name: str) -> Path:
    path = folder_paths.get_full_path(folder, name)
    if path is None:
        raise FamilyError(f"The file {name} has gone from models/{folder}: choose another one.")
    return Path(path)
