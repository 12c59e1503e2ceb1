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
from ..families.kinds import kinds_of

NONE = "none"  # the choice of a slot that may stay empty
MISSING = "missing: "


def choices(slot: Slot) -> list[str]:
    """Return the options of a slot's widget, the one to preselect first.

    Official files come first, wherever in the folder they are, that of a subfolder after the one
    above it; if there is none, an entry that says which one is missing, how large it is and where
    it goes.
    """
    names = folder_paths.get_filename_list(slot.folder)
    official = [name for file in slot.official for name in _named(names, file.name)]
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
    """Return what to do about the files that are not there, or "". None comes by a link: later.

    One sentence for all official files; one for each file of another name.
    """
    asked = [(slot, values.get(slot.role, "")) for slot in slots]
    gone = [(slot, value) for slot, value in asked if value is not None and not _found(slot, value)]
    strange = [_strange(slot, value) for slot, value in gone if not _wanted(slot, value)]
    files = [(_wanted(slot, value), slot.folder) for slot, value in gone]
    places = [_whereabouts(file, folder) for file, folder in files if file]
    return " ".join(filter(None, [*strange, _fetch(list(dict.fromkeys(places)))]))


def headers(slots: Iterable[Slot], files: Mapping[str, str]) -> dict[str, Header]:
    """Read the headers of chosen files: kilobytes, whatever the files weigh."""
    found = {slot.role: files[slot.role] for slot in slots if slot.role in files}
    folders = {slot.role: slot.folder for slot in slots}
    return {role: read_header(_path(folders[role], name), name) for role, name in found.items()}


def kinds(slots: Iterable[Slot], files: Mapping[str, str]) -> dict[str, str]:
    """Return what chosen files surely are. Of damaged ones nothing: `headers` refuses them."""
    try:
        return kinds_of(headers(slots, files))
    except FamilyError:
        return {}


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
    return next(iter(_named(names, _bare(value))), None)


def _named(names: Iterable[str], bare: str) -> list[str]:
    """Return the files of a bare name, those in fewer folders first."""
    found = [name for name in names if _bare(name) == bare]
    return sorted(found, key=lambda name: len(PurePosixPath(name.replace("\\", "/")).parts))


def _wanted(slot: Slot, value: str) -> ModelFile | None:
    """Return the official file that a widget names, or the first if it names none at all."""
    if not value or value == NONE or value.startswith(MISSING):
        return slot.official[0]
    return next((file for file in slot.official if file.name == _bare(value)), None)


def _strange(slot: Slot, value: str) -> str:
    return (
        f"There is no file {_bare(value)} in models/{slot.folder}: choose another one as "
        f"{slot.role}, or download {_whereabouts(slot.official[0], slot.folder)}."
    )


def _fetch(places: list[str]) -> str:
    if not places:
        return ""
    what, it = ("A model file is", "it") if len(places) == 1 else ("Model files are", "them")
    return (
        f"{what} missing: {', '.join(places)}. "
        f"Download {it} into ComfyUI, then press R and choose {it}."
    )


def _whereabouts(file: ModelFile, folder: str) -> str:
    weight = f" ({size(file.bytes)})" if file.bytes else ""
    return f"{file.name}{weight} to models/{folder}"


def _path(folder: str, name: str) -> Path:
    path = folder_paths.get_full_path(folder, name)
    if path is None:
        raise FamilyError(f"The file {name} has gone from models/{folder}: choose another one.")
    return Path(path)
