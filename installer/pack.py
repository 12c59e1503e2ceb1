"""`install.py install`, `uninstall`, and what the manager asks for: the pack in a ComfyUI."""

from __future__ import annotations

import sys
from pathlib import Path

from .comfyui import ComfyUI, find, find_folder
from .console import say
from .placing import install_steps, uninstall_steps
from .pythons import ensure_requirements, install_missing, interpreter, requirements
from .steps import Step, perform
from .swap import NAME, recover


def install(root: Path, given: str, python: str | None, *, copy: bool, dry_run: bool) -> int:
    """Put the pack into a ComfyUI, with what it needs. Raises Trouble, having undone all."""
    comfyui = find(given, python, requirements(root))
    say(f"ComfyUI: {comfyui.folder}\nIts Python: {comfyui.python.path}")
    custom_nodes = comfyui.folder / "custom_nodes"
    recover(custom_nodes)
    placing = [] if _is_inside(root, custom_nodes) else _placing(root, custom_nodes, copy)
    perform([*_needs(comfyui), *placing], dry_run=dry_run)
    if not dry_run:
        say("PromptReel is installed. Restart ComfyUI; open its templates, then promptreel.")
    return 0


def uninstall(given: str, *, dry_run: bool) -> int:
    """Take back what `install` has put into a ComfyUI. Raises Trouble if that was not us."""
    custom_nodes = find_folder(given) / "custom_nodes"
    recover(custom_nodes)
    steps = uninstall_steps(custom_nodes)
    perform(steps, dry_run=dry_run)
    if steps and not dry_run:
        say("Done; packages stay where they are, other nodes may use them. Restart ComfyUI.")
    return 0


def for_manager(root: Path) -> bool:
    """Make sure of the requirements if this Python is a ComfyUI's; False if it is not."""
    mine = interpreter(Path(sys.executable), requirements(root))
    if not mine.torch and root.parent.name != "custom_nodes":
        return False
    ensure_requirements(mine)
    return True


def _needs(comfyui: ComfyUI) -> list[Step]:
    missing = comfyui.python.missing
    if not missing:
        say("All that PromptReel needs is there already.")
        return []
    text = f"Install {', '.join(missing)} with {comfyui.python.path}"
    return [Step(text, lambda: install_missing(comfyui.python))]


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
