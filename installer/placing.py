"""How the pack gets into custom_nodes and out again, as plans.

Looks, decides, refuses; every change is a Step. Touches nothing that the record does not call ours.
"""

from __future__ import annotations

import os
from pathlib import Path

from .console import Trouble, say
from .files import points_to, remove, remove_if_empty, remove_only
from .record import Record, read_record, write_record
from .steps import Step
from .swap import NAME, Swap


def install_steps(pack: Path, custom_nodes: Path, *, linked: bool) -> list[Step]:
    """Return what is to be done so that the pack lies there. Raises Trouble if it may not."""
    place = custom_nodes / NAME
    if linked and points_to(place, pack):
        say(f"Already linked: {place} -> {pack}")
        return []
    before = _before(custom_nodes)
    others = before.others_files(place) if before else []
    if linked and others:
        raise Trouble(
            f"{place} holds files that this program did not write ({_names(others, place)}): "
            "move them away first, or say --copy, which keeps them."
        )
    return [*_folder(custom_nodes), *Swap(pack, custom_nodes, before, linked).steps()]


def uninstall_steps(custom_nodes: Path) -> list[Step]:
    """Return what is to be done so that what we put there is gone, and nothing else."""
    place = custom_nodes / NAME
    record = read_record(custom_nodes)
    if record is None:
        if os.path.lexists(place):
            raise Trouble(f"{place} was not put there by this program, so it stays.")
        say(f"There is nothing to undo in {custom_nodes}.")
        return []
    forget = Step("Remove the note of it", lambda: write_record(custom_nodes, None))
    if record.is_ours(place):
        return [_removal(place, record), forget]
    if os.path.lexists(place):
        say(f"{place} is no longer what this program put there, so it stays.")
    return [forget]


def _before(custom_nodes: Path) -> Record | None:
    """Return the record of what is there, None if nothing is. Raises Trouble if it isn't ours."""
    place = custom_nodes / NAME
    if not os.path.lexists(place):
        return None
    record = read_record(custom_nodes)
    if record and record.is_ours(place):
        return record
    raise Trouble(
        f"{place} is there already and was not put there by this program: "
        "move it away (or uninstall it the way it came), then try again."
    )


def _folder(custom_nodes: Path) -> list[Step]:
    if custom_nodes.is_dir():
        return []
    text = f"Make the folder {custom_nodes}"
    return [Step(text, custom_nodes.mkdir, lambda: remove_if_empty(custom_nodes))]


def _removal(place: Path, record: Record) -> Step:
    if record.link is not None:
        return Step(f"Remove the link {place}", lambda: remove(place))
    others = record.others_files(place)
    if not others:
        return Step(f"Remove the copy {place}", lambda: remove(place))
    text = f"Remove the copy {place}, except what is not ours: {_names(others, place)}"
    return Step(text, lambda: remove_only(record.own_files(place), place))


def _names(paths: list[Path], place: Path) -> str:
    return ", ".join(path.relative_to(place).as_posix() for path in paths)
