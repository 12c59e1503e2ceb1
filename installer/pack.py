"""`install.py install`, `uninstall`, and what the manager asks for: the pack in a ComfyUI."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

from . import versions
from .choosing import choose
from .comfyui import ComfyUI, find, find_folder, nodes_folder
from .console import say
from .packages import Packages
from .places import Found, this_machine
from .placing import install_steps, uninstall_steps
from .pythons import interpreter, requirements
from .steps import Step, perform
from .swap import NAME, recover
from .trying import try_loading


@dataclass(frozen=True)
class Wish:
    """Where the pack is to go: a ComfyUI's path (None: found by itself), its Python, and how.

    `yes`: of several ComfyUIs take the one that runs, without asking.
    """

    comfyui: str | None
    python: str | None = None
    copy: bool = False
    yes: bool = False
    dry_run: bool = False


def install(root: Path, wish: Wish) -> int:
    """Put the pack into a ComfyUI, with what it needs. Raises Trouble, having undone all."""
    given, elsewhere = _chosen(root, wish)
    comfyui = find(given, wish.python, requirements(root))
    say(f"ComfyUI: {comfyui.folder}\nIts Python: {comfyui.python.path}")
    versions.check(comfyui.folder, root / "custom_nodes" / NAME)
    custom_nodes = elsewhere or nodes_folder(given, comfyui.folder)
    recover(custom_nodes)
    inside = _is_inside(root, custom_nodes)
    placing = [] if inside else _placing(root, custom_nodes, wish.copy)
    place = root / "custom_nodes" / NAME if inside else custom_nodes / NAME
    trying = Step(f"Try whether ComfyUI loads {place}", lambda: try_loading(comfyui, place))
    perform([*_needs(comfyui), *placing, trying], dry_run=wish.dry_run)
    if not wish.dry_run:
        say("PromptReel is installed. Restart ComfyUI; open its templates, then promptreel.")
    return 0


def uninstall(root: Path, wish: Wish) -> int:
    """Take back what `install` has put into a ComfyUI. Raises Trouble if that was not us."""
    given, elsewhere = _chosen(root, wish)
    custom_nodes = elsewhere or nodes_folder(given, find_folder(given))
    recover(custom_nodes)
    steps = uninstall_steps(custom_nodes)
    perform(steps, dry_run=wish.dry_run)
    if steps and not wish.dry_run:
        say("Done; packages stay where they are, other nodes may use them. Restart ComfyUI.")
    return 0


def for_manager(root: Path) -> bool:
    """Make sure of the requirements if this Python is a ComfyUI's; False if it is not."""
    mine = interpreter(Path(sys.executable), requirements(root))
    if not mine.torch and root.parent.name != "custom_nodes":
        return False
    if not mine.missing:
        say(f"PromptReel: all that it needs is there already ({mine.path}).")
        return True
    say(f"PromptReel: installing {', '.join(mine.missing)} with {mine.path} ...")
    Packages(mine.path, mine.missing, root.parent.parent, pip=mine.pip).install()
    say("PromptReel: all that it needs is there now.")
    return True


def _chosen(root: Path, wish: Wish) -> tuple[str, Path | None]:
    """Return the path that is meant, and where that ComfyUI said that it looks for nodes."""
    if wish.comfyui:
        return wish.comfyui, None
    found: Found = choose(this_machine(root), yes=wish.yes)
    return str(found.folder), found.custom_nodes


def _needs(comfyui: ComfyUI) -> list[Step]:
    missing = comfyui.python.missing
    if not missing:
        say("All that PromptReel needs is there already.")
        return []
    text = f"Install {', '.join(missing)} with {comfyui.python.path}"
    python = comfyui.python
    packages = Packages(python.path, missing, comfyui.folder, pip=python.pip)
    return [Step(text, packages.install, packages.undo)]


def _placing(root: Path, custom_nodes: Path, copy: bool) -> list[Step]:
    return install_steps(root / "custom_nodes" / NAME, custom_nodes, linked=not copy)


def _is_inside(root: Path, custom_nodes: Path) -> bool:
    """Whether this checkout is a clone in custom_nodes, which loads by itself."""
    inside = custom_nodes.resolve() in root.resolve().parents
    linked = custom_nodes.is_dir() and any(
        entry.samefile(root) for entry in custom_nodes.iterdir() if entry.exists()
    )
    if inside or linked:
        say("This checkout lies in its custom_nodes and loads from there: nothing to link.")
    return inside or linked
