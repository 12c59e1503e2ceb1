"""All model files of a pipeline: what is there is skipped, space is checked, the rest comes.

Knows the order of things. Must not know HTTP or how progress looks.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from sidecar.pipelines import ModelFile

from .download import begun_bytes, download
from .errors import Damaged, ModelsError, Unreachable
from .folders import ComfyFolder
from .hub import Hub, HubFile, Remote, hub_file
from .needs import Found, State, look

Tell = Callable[[str], None]

_SPARE = 200_000_000  # bytes left free for everything else on the disk


@dataclass(frozen=True)
class Task:
    """A file to bring: what the Hub has, and where it goes."""

    model: ModelFile
    remote: Remote
    target: Path

    @property
    def left(self) -> int:
        """Bytes that are still to come."""
        begun = begun_bytes(self.remote, self.target, self.model.sha256)
        return max(self.remote.size - begun, 0)


@dataclass(frozen=True)
class Plan:
    """What is to be done: files there already, files to bring, and a sentence for each other."""

    there: tuple[Found, ...]
    tasks: tuple[Task, ...]
    troubles: tuple[str, ...]


def plan(models: Iterable[ModelFile], comfy: ComfyFolder, hub: Hub) -> Plan:
    """Ask for every file before any is fetched. Raises Unreachable."""
    there: list[Found] = []
    tasks: list[Task] = []
    troubles: list[str] = []
    for model in models:
        found = look(model, comfy)
        try:
            task = _task(found, hub)
        except Unreachable:
            raise
        except ModelsError as error:
            troubles.append(str(error))
            continue
        if task is None:
            there.append(found)
        else:
            tasks.append(task)
    return Plan(tuple(there), tuple(tasks), tuple(troubles))


def check_space(tasks: Sequence[Task]) -> None:
    """Raise ModelsError if the files together don't fit on the disks that they go to."""
    needed: dict[int, int] = {}
    places: dict[int, Path] = {}
    for task in tasks:
        place = _existing(task.target.parent)
        disk = os.stat(place).st_dev  # noqa: PTH116  one call, one number
        needed[disk] = needed.get(disk, 0) + task.left
        places[disk] = place
    for disk, count in needed.items():
        free = shutil.disk_usage(places[disk]).free - _SPARE
        if count and count > free:
            raise ModelsError(
                f"Not enough space in {places[disk]}: {count / 1e9:.2f} GB are to come, "
                f"{max(free, 0) / 1e9:.2f} GB can be used. Make room, then pull again."
            )


def fetch(tasks: Sequence[Task], hub: Hub, comfy: ComfyFolder, tell: Tell) -> tuple[str, ...]:
    """Bring the files; return a sentence for each that arrived damaged. Raises ModelsError."""
    troubles: list[str] = []
    for number, task in enumerate(tasks, 1):
        place = comfy.shown(task.target.parent)
        begun = task.remote.size - task.left
        resumed = f", {begun / task.remote.size:.0%} are there" if begun else ""
        size = f"{task.remote.size / 1e9:.2f} GB"
        tell(f"[{number}/{len(tasks)}] {task.model.name} ({size}{resumed}) -> {place}")
        try:
            download(hub, task.remote, task.target, tell, task.model.sha256)
        except Damaged as error:
            troubles.append(str(error))
    return tuple(troubles)


def _task(found: Found, hub: Hub) -> Task | None:
    """Return what is to be done for a file; None if it is there. Raises ModelsError."""
    model = found.model
    is_there = found.state in (State.THERE, State.OTHER_SIZE)
    if is_there and found.on_disk == model.size:
        return None
    if not is_there and found.path.is_dir():
        raise ModelsError(f"{found.path} is a folder: move it away, {model.name} goes there.")
    file = hub_file(model.source)
    if file is None:
        if found.state is State.THERE:
            return None
        raise ModelsError(_by_hand(found))
    remote = _remote(model, file, hub)
    if not is_there:
        return Task(model, remote, found.path)
    if found.on_disk == remote.size:
        return None
    raise ModelsError(
        f"{found.path} has {found.on_disk} bytes, but the Hub's {model.name} has {remote.size}: if "
        "it is a broken download, delete it and pull again."
    )


def _remote(model: ModelFile, file: HubFile, hub: Hub) -> Remote:
    remote = hub.look(file)
    if model.sha256 and remote.sha256 and model.sha256 != remote.sha256:
        raise ModelsError(
            f"The Hub's {model.name} is not the one that pipeline.json means (another SHA-256): "
            "look at its page, then correct pipeline.json."
        )
    return remote


def _by_hand(found: Found) -> str:
    name, place = found.model.name, found.path.parent
    if not found.model.source:
        return f"{name}: pipeline.json tells no source. Put the file into {place} yourself."
    return (
        f"{name} is not on the Hugging Face Hub: download it yourself, from {found.model.source} "
        f"into {place}."
    )


def _existing(place: Path) -> Path:
    """Return the folder, or the nearest one above it that exists."""
    return next(path for path in (place, *place.parents) if path.exists())
