"""Somebody's ComfyUI: where its nodes go and which Python runs it.

Knows the usual layouts: a virtual environment in or beside the folder, the portable build's
python_embeded, conda's environments, a container's own Python. Must not change anything.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from .console import Trouble
from .environment import python_of
from .extra_paths import sections
from .places import looks_like_comfyui
from .pythons import Interpreter, interpreter

EMBEDDED = "python_embeded"  # their spelling
YAML = (".yaml", ".yml")


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
    if place.suffix in YAML:
        place = _of_yaml(place)
    inside = place.parent if place.name == "custom_nodes" else place
    for folder in (inside, inside / "ComfyUI"):  # the portable build's folder holds the other
        if (folder / "main.py").is_file() or (folder / "custom_nodes").is_dir():
            return _not_ours(folder, given)
    if not place.exists():
        raise Trouble(f"There is no folder {place}.")
    raise Trouble(f"{place} is no ComfyUI: give the folder that holds its main.py.")


def nodes_folder(given: str, folder: Path) -> Path:
    """Return where nodes go: an extra_model_paths.yaml that was given may name another place."""
    place = Path(given).expanduser().absolute()
    listed = sections(place) if place.suffix in YAML else []
    return next((nodes for one in listed for nodes in one.nodes), folder / "custom_nodes")


def _of_yaml(file: Path) -> Path:
    """Return the ComfyUI that a file belongs to, or which it names. Raises Trouble."""
    bases = [file.parent, *(one.base for one in sections(file) if one.base)]
    found = next(filter(looks_like_comfyui, bases), None)
    if found is None:
        raise Trouble(f"{file} lies in no ComfyUI and its base_path names none: give the folder.")
    return found


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
    found = next(filter(Path.is_file, places), None) or _guessed()
    if found is None:
        raise Trouble(
            f"The Python that runs {folder} was not found (no .venv, venv or {EMBEDDED} in it or "
            "beside it, no conda environment or Python on PATH with torch): name it with --python."
        )
    return found


def _guessed() -> Path | None:
    """Return the first Python with torch among those that people run ComfyUI with."""
    seen = dict.fromkeys(path for path in _elsewhere() if path.is_file())
    return next((path for path in seen if _has_torch(path)), None)


def _elsewhere() -> Iterator[Path]:
    """Give the active environments, conda's whose names tell it, and those on PATH."""
    active = [os.environ[name] for name in ("VIRTUAL_ENV", "CONDA_PREFIX") if name in os.environ]
    try:
        listed = (Path.home() / ".conda" / "environments.txt").read_text(encoding="utf-8")
    except (OSError, ValueError):
        listed = ""
    conda = [line.strip() for line in listed.splitlines() if "comfy" in Path(line).name.lower()]
    for prefix in map(Path, (*active, *conda)):
        yield python_of(prefix)
        yield prefix / "python.exe"  # conda's, on Windows
    for name in ("python3", "python"):
        found = shutil.which(name)
        if found:
            yield Path(found)


def _has_torch(path: Path) -> bool:
    try:
        return interpreter(path, ()).torch
    except Trouble:
        return False
