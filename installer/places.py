"""Where ComfyUIs usually are: what people name, what its own programs note down, usual folders.

Looks, changes nothing. Must not know how one of several is chosen.

    comfy-cli     config.ini: default_workspace, recent_workspace
    desktop app   config.json: basePath; extra_models_config.yaml: base_path
    containers    /workspace, /opt, the root of the disk
"""

from __future__ import annotations

import configparser
import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

from .extra_paths import sections

NAMED = "COMFYUI_PATH"
PORTABLE = "ComfyUI_windows_portable"
_CONTAINER = (
    "workspace/ComfyUI",
    "workspace/comfyui",
    "ComfyUI",
    "comfyui",
    "opt/ComfyUI",
    "opt/comfyui",
    "app/ComfyUI",
    "app",
    "root/ComfyUI",
    "data/ComfyUI",
    "mnt/ComfyUI",
)
_HOME = (
    "ComfyUI",
    "comfyui",
    "comfy/ComfyUI",  # where comfy-cli puts it
    "Documents/ComfyUI",  # the desktop app's proposal
    PORTABLE,
    f"Downloads/{PORTABLE}",
    f"Desktop/{PORTABLE}",
    "StabilityMatrix/Packages/ComfyUI",
    "AppData/Roaming/StabilityMatrix/Packages/ComfyUI",
    "pinokio/api/comfy.git/app",
)


@dataclass(frozen=True)
class Found:
    """A folder with a ComfyUI in it, and how it was found."""

    folder: Path
    how: str
    running: bool = False
    custom_nodes: Path | None = None  # where it looks for nodes, if elsewhere than there


@dataclass(frozen=True)
class Machine:
    """What is looked at; tests make one up. `disk`: the root, on Windows the drive."""

    root: Path
    environ: Mapping[str, str]
    home: Path = field(default_factory=Path.home)
    disk: Path = field(default_factory=lambda: Path(Path.home().anchor))
    platform: str = sys.platform


def looks_like_comfyui(folder: Path) -> bool:
    """Whether it is a ComfyUI, or the base folder of a desktop app's."""
    if (folder / "sidecar").is_dir() and (folder / "install.py").is_file():
        return False
    if (folder / "main.py").is_file():
        return (folder / "custom_nodes").is_dir() or (folder / "comfyui_version.py").is_file()
    beside = ("models", "user", "input")
    return (folder / "custom_nodes").is_dir() and any((folder / name).is_dir() for name in beside)


def look_around(machine: Machine) -> list[Found]:
    """Return what is there, each folder once, the surest first."""
    found: dict[Path, Found] = {}
    for place, how in _places(machine):
        for folder in (place, place / "ComfyUI"):  # the portable build holds the other
            if _quietly(looks_like_comfyui, folder):
                found.setdefault(folder.resolve(), Found(folder.absolute(), how))
    return list(found.values())


def _places(machine: Machine) -> Iterator[tuple[Path, str]]:
    named = machine.environ.get(NAMED)
    if named:
        yield Path(named).expanduser(), NAMED
    for parent in machine.root.parents:  # a clone in, or beside, somebody's ComfyUI
        if parent.name == "custom_nodes":
            yield parent.parent, "this checkout lies in it"
    for folder in _comfy_cli(machine):
        yield folder, "comfy-cli's workspace"
    for folder in _desktop(machine):
        yield folder, "the desktop app's folder"
    for name in _HOME:
        yield machine.home / name, "a usual folder"
    for place in (Path.cwd(), machine.root.parent):
        yield place, "a folder near here"
        yield place / PORTABLE, "a folder near here"
    if machine.platform == "win32":
        yield machine.disk / "ComfyUI", "a usual folder"
        yield machine.disk / PORTABLE, "a usual folder"
        return
    for name in _CONTAINER:
        yield machine.disk / name, "a container's usual folder"


def _comfy_cli(machine: Machine) -> Iterator[Path]:
    base = {
        "win32": machine.home / "AppData" / "Local",
        "darwin": machine.home / "Library" / "Application Support",
    }.get(machine.platform, machine.home / ".config")
    reader = configparser.ConfigParser(interpolation=None)
    try:
        reader.read(base / "comfy-cli" / "config.ini", encoding="utf-8")
    except (OSError, ValueError, configparser.Error):
        return
    for name in ("default_workspace", "recent_workspace"):
        folder = reader.defaults().get(name)
        if folder:
            yield Path(folder).expanduser()


def _desktop(machine: Machine) -> Iterator[Path]:
    roaming = machine.environ.get("APPDATA")
    base = {
        "win32": Path(roaming) if roaming else machine.home / "AppData" / "Roaming",
        "darwin": machine.home / "Library" / "Application Support",
    }.get(machine.platform, machine.home / ".config")
    folder = base / "ComfyUI"
    try:
        told: object = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        told = None
    path = cast("dict[str, object]", told).get("basePath") if isinstance(told, dict) else None
    if isinstance(path, str) and path:
        yield Path(path)
    for section in sections(folder / "extra_models_config.yaml"):
        if section.base:
            yield section.base


def _quietly(check: Callable[[Path], bool], folder: Path) -> bool:
    try:
        return check(folder)
    except OSError:  # no right to look there
        return False


def this_machine(root: Path) -> Machine:
    """Return the machine that this program runs on."""
    return Machine(root, dict(os.environ))
