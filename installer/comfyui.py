"""Somebody's ComfyUI: where its nodes go and which Python runs it.

Knows the usual layouts: a virtual environment in or beside the folder, the portable build's
python_embeded. Must not change anything.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from .console import Trouble
from .environment import python_of
from .pythons import Interpreter, interpreter

EMBEDDED = "python_embeded"  # their spelling


@dataclass(frozen=True)
class ComfyUI:
    """A ComfyUI folder and the Python that runs it."""

    folder: Path
    python: Interpreter


def find(given: str, python: str | None, wanted: Sequence[str]) -> ComfyUI:
    """Return the ComfyUI at a path, its Python asked for the requirements. Raises Trouble."""
    folder = find_folder(given)
    return ComfyUI(folder, interpreter(_named(python) if python else _python(folder), wanted))


def find_folder(given: str) -> Path:
    """Return the folder that holds main.py or custom_nodes. Raises Trouble if it is no ComfyUI."""
    place = Path(given).expanduser().absolute()
    inside = place.parent if place.name == "custom_nodes" else place
    for folder in (inside, inside / "ComfyUI"):  # the portable build's folder holds the other
        if (folder / "main.py").is_file() or (folder / "custom_nodes").is_dir():
            return _not_ours(folder, given)
    if not place.exists():
        raise Trouble(f"There is no folder {place}.")
    raise Trouble(f"{place} is no ComfyUI: give the folder that holds its main.py.")


def _not_ours(folder: Path, given: str) -> Path:
    if (folder / "sidecar").is_dir() and (folder / "install.py").is_file():
        raise Trouble(f"{given} is PromptReel itself: give the folder of ComfyUI.")
    return folder


def _named(python: str) -> Path:
    place = Path(python).expanduser().absolute()
    if not place.is_file():
        raise Trouble(f"There is no Python {place}: --python takes the path of the program itself.")
    return place


def _python(folder: Path) -> Path:
    bases = (folder, folder.parent)
    places = [python_of(base / name) for base in bases for name in (".venv", "venv")]
    places += [base / EMBEDDED / "python.exe" for base in bases]
    found = next(filter(Path.is_file, places), None)
    if found is None:
        raise Trouble(
            f"The Python that runs {folder} was not found (no .venv, venv or {EMBEDDED} in it or "
            "beside it): name it with --python."
        )
    return found
