"""What a ComfyUI has, and what a pipeline lacks there.

Knows a server's answers and a pipeline's needs. Must not know how long an answer holds.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from sidecar.comfy.client import ComfyClient
from sidecar.comfy.shapes import an_object
from sidecar.pipelines import ModelFile, Pipeline

from .spelling import plain
from .together import together

Models = Mapping[str, frozenset[str]]


@dataclass(frozen=True)
class Software:
    """The version and the node classes; they change only when ComfyUI starts anew."""

    version: str
    nodes: frozenset[str]
    windows: bool = False


@dataclass(frozen=True)
class Inventory:
    """What a ComfyUI has. `models` holds the files of the folders that were asked for."""

    version: str
    nodes: frozenset[str]
    models: Models = field(default_factory=dict[str, frozenset[str]])


@dataclass(frozen=True)
class Missing:
    """What a pipeline lacks on a server; `version` is a sentence about ComfyUI's own, or blank."""

    nodes: tuple[str, ...] = ()
    models: tuple[ModelFile, ...] = ()
    version: str = ""
    elsewhere: tuple[str, ...] = ()  # of each missing model: where it lies instead, or blank

    def __bool__(self) -> bool:
        return bool(self.nodes or self.models or self.version)

    def listed(self) -> tuple[str, ...]:
        """Return each missing thing as a phrase."""
        return (*([self.version] if self.version else []), *self._things())

    def told(self) -> str:
        """Return the same as half of a sentence: "it lacks: node X"."""
        things = ", ".join(self._things())
        parts = [self.version and f"which needs {self.version}", things and f"it lacks: {things}"]
        return "; ".join(filter(None, parts))

    def _things(self) -> tuple[str, ...]:
        return (
            *(f"node {name}" for name in self.nodes),
            *(f"model {model.name} in models/{model.folder}" for model in self.models),
        )


def lacks(pipeline: Pipeline, inventory: Inventory) -> Missing:
    """Return what the pipeline needs and the inventory has not.

    A model counts under the whole name that the graph gives it: a loader refuses every other, the
    same file in a subfolder included.
    """
    models = tuple(m for m in pipeline.models if m.name not in _of(inventory, m.folder))
    return Missing(
        nodes=tuple(name for name in pipeline.nodes if name not in inventory.nodes),
        models=models,
        version=_too_old(pipeline.requires_comfyui, inventory.version),
        elsewhere=tuple(_elsewhere(model, _of(inventory, model.folder)) for model in models),
    )


async def ask_software(client: ComfyClient) -> Software:
    """Ask a server for its version and nodes. Raises ComfyError."""
    stats, nodes = await together(client.system_stats(), client.node_names())
    system = an_object(stats.get("system"))
    windows = system.get("os") in ("nt", "win32")
    return Software(str(system.get("comfyui_version") or ""), nodes, windows)


async def ask_models(client: ComfyClient, folders: Collection[str]) -> Models:
    """Ask a server for its models: each folder once, all at a time. Raises ComfyError."""
    names = sorted(folders)
    tasks = [asyncio.create_task(client.models(name)) for name in names]
    try:
        answers = await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()  # where one fails, nobody waits for the others
        await asyncio.gather(*tasks, return_exceptions=True)
    listed = (frozenset(map(plain, answer)) for answer in answers)
    return dict(zip(names, listed, strict=True))


def _of(inventory: Inventory, folder: str) -> frozenset[str]:
    return inventory.models.get(folder, frozenset())


def _elsewhere(model: ModelFile, there: frozenset[str]) -> str:
    """Return the name under which the file lies in another subfolder; blank: nowhere."""
    base = model.name.rpartition("/")[2]
    return next((name for name in sorted(there) if name.rpartition("/")[2] == base), "")


def _too_old(needed: str, version: str) -> str:
    wanted, there = _numbers(needed), _numbers(version)
    old = bool(wanted and there and there < wanted)
    return f"ComfyUI {needed} or newer (it is {version})" if old else ""


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version)[:3])
