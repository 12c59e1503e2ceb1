"""Links, copies and removals that never follow a link into somebody else's files."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from .console import say

BYTECODE = "__pycache__"


def link_of(place: Path) -> str | None:
    """Return where a link (on Windows also a junction) points to; None if it is not one."""
    try:
        return os.readlink(place)  # noqa: PTH115  Path.readlink takes no junctions in 3.10
    except OSError:
        return None


def points_to(place: Path, target: Path) -> bool:
    """Whether a place is a link that leads to the target."""
    return link_of(place) is not None and place.resolve() == target.resolve()


def files_in(folder: Path) -> Iterator[Path]:
    """All files below a folder, Python's bytecode left out."""
    for path in sorted(folder.rglob("*")):
        if BYTECODE not in path.parts and (path.is_symlink() or not path.is_dir()):
            yield path


def digest_of(path: Path) -> str:
    """Return the SHA-256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def link(target: Path, place: Path) -> bool:
    """Make a link, or a junction (which Windows allows everybody); False where it can't be."""
    try:
        place.symlink_to(target, target_is_directory=True)
    except OSError:
        return _junction(target, place)
    return True


def _junction(target: Path, place: Path) -> bool:
    if sys.platform == "win32":
        import _winapi  # noqa: PLC0415  only Windows has it

        with contextlib.suppress(OSError):
            _winapi.CreateJunction(str(target), str(place))
            return True
    return False


def copy(source: Path, place: Path) -> None:
    """Copy a folder without Python's bytecode."""
    shutil.copytree(source, place, ignore=shutil.ignore_patterns(BYTECODE))


def put(source: Path, place: Path, *, linked: bool) -> None:
    """Link a folder to a place; copy it where it should not be a link, or can't."""
    if linked and link(source, place):
        return
    if linked:
        say("Links can't be made there: copying.")
    copy(source, place)


def remove(path: Path) -> None:
    """Remove a link (never what it points to), a folder, or nothing."""
    if link_of(path) is not None:
        path.unlink()
    elif path.is_dir():
        shutil.rmtree(path)


def remove_if_empty(folder: Path) -> None:
    """Remove a folder unless there is something in it."""
    with contextlib.suppress(OSError):
        folder.rmdir()


def remove_only(files: list[Path], folder: Path) -> None:
    """Remove these files of a folder, Python's bytecode, and the folders that are empty then."""
    for path in files:
        path.unlink()
    for inner in sorted(filter(Path.is_dir, folder.rglob("*")), reverse=True):
        if inner.name == BYTECODE:
            shutil.rmtree(inner)
        elif link_of(inner) is None:
            remove_if_empty(inner)
