"""Which pipelines there are, and which of them a ComfyUI can run.

Joins pipelines with what a server says of itself. What it says is kept for a while; before anything
is called missing it is asked again. Must not know jobs or routes.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace

import aiohttp

from sidecar.comfy.client import ComfyClient
from sidecar.comfy.errors import ComfyError
from sidecar.errors import BadRequest, ServerFailure
from sidecar.params import Param
from sidecar.pipelines import ModelFile, Pipeline, find
from sidecar.values import Json

_ALIVE_S = 2.0  # how long an answer to "is it there?" holds
_KNOWN_S = 300.0  # how long a server's nodes and models are believed to be there
_FRESH_S = 2.0  # how new the knowledge must be before something is called missing


@dataclass(frozen=True)
class Inventory:
    """What a ComfyUI has. `models` holds the files of the folders that were asked for."""

    version: str
    nodes: frozenset[str]
    models: Mapping[str, frozenset[str]] = field(default_factory=dict[str, frozenset[str]])


@dataclass(frozen=True)
class Missing:
    """What a pipeline lacks on a server; `version` is a sentence about ComfyUI's own, or blank."""

    nodes: tuple[str, ...] = ()
    models: tuple[ModelFile, ...] = ()
    version: str = ""

    def __bool__(self) -> bool:
        return bool(self.nodes or self.models or self.version)

    def listed(self) -> tuple[str, ...]:
        """Return each missing thing as a phrase."""
        return (
            *([self.version] if self.version else []),
            *(f"node {name}" for name in self.nodes),
            *(f"model {_place(model)}" for model in self.models),
        )


def lacks(pipeline: Pipeline, inventory: Inventory) -> Missing:
    """Return what the pipeline needs and the inventory has not."""
    nodes = tuple(name for name in pipeline.nodes if name not in inventory.nodes)
    models = tuple(
        model
        for model in pipeline.models
        if _plain(model.name) not in inventory.models.get(model.folder, frozenset())
    )
    needed, there = _numbers(pipeline.requires_comfyui), _numbers(inventory.version)
    old = bool(needed and there and there < needed)
    said = f"ComfyUI {pipeline.requires_comfyui} or newer (it is {inventory.version})"
    return Missing(nodes, models, said if old else "")


class ServerCatalog:
    """The pipelines, and each server's state of knowledge. `clock` is in seconds."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        pipelines: Mapping[str, Pipeline],
        *,
        clock: Callable[[], float] = time.monotonic,
        answer_s: float = 10.0,
    ) -> None:
        self._session = session
        self._pipelines = dict(pipelines)
        self._clock = clock
        self._answer_s = answer_s
        self._servers: dict[str, _Known] = {}

    @property
    def pipelines(self) -> Mapping[str, Pipeline]:
        """All known pipelines by name."""
        return self._pipelines

    async def alive(self, url: str) -> bool:
        """Whether a ComfyUI answers there (as of at most 2 seconds ago)."""
        known = self._known(url)
        async with known.asking:
            if self._age(known.alive_at) > _ALIVE_S:
                known.alive = await self._answers(known)
                known.alive_at = self._clock()
        return known.alive

    async def choose(self, server: str, name: str | None) -> Pipeline:
        """Return the named pipeline, or the highest-ranking one that the server can run.

        Raises BadRequest for one that is unknown or lacks something there (listing it), and
        ServerFailure for a server that can't be reached.
        """
        wanted = [find(self._pipelines, name)] if name is not None else self._by_rank()
        if not await self.alive(server):
            raise unreachable()
        missing: dict[str, Missing] = {}
        for newest in (_KNOWN_S, _FRESH_S):
            inventory = await self._inventory(server, newest)
            for pipeline in wanted:
                missing[pipeline.name] = lacks(pipeline, inventory)
                if not missing[pipeline.name]:
                    return pipeline
        last = wanted[-1]
        raise _refusal(last, missing[last.name])

    async def listing(self, server: str | None) -> Json:
        """Return what GET /api/pipelines tells. Raises ServerFailure if the server is away.

        Without a server "missing" is null, and the built-in engine takes the place of the default.
        """
        inventory = None
        if server is not None:
            if not await self.alive(server):
                raise unreachable()
            inventory = await self._inventory(server, _FRESH_S)
        rows = [_row(pipeline, inventory) for pipeline in self._pipelines.values()]
        runs = {row["name"] for row in rows if inventory is None or not row["missing"]["any"]}
        default = next((p.name for p in self._by_rank() if p.name in runs), None)
        if server is None:
            default = self._by_rank()[-1].name
        for row in rows:
            row["default"] = row["name"] == default
            if row["missing"] is not None:
                del row["missing"]["any"]
        return {"serverUrl": server, "pipelines": rows}

    def forget(self, server: str) -> None:
        """Ask the server again at the next occasion: it turned out to be different."""
        self._servers.pop(server, None)

    def _by_rank(self) -> list[Pipeline]:
        ranked = [pipeline for pipeline in self._pipelines.values() if pipeline.rank > 0]
        return sorted(ranked, key=lambda pipeline: -pipeline.rank)

    def _known(self, url: str) -> _Known:
        if url not in self._servers:
            client = ComfyClient(url, self._session, connect_s=2.0, answer_s=self._answer_s)
            self._servers[url] = _Known(client)
        return self._servers[url]

    def _age(self, moment: float | None) -> float:
        return float("inf") if moment is None else self._clock() - moment

    async def _answers(self, known: _Known) -> bool:
        try:
            stats = await known.client.system_stats()
        except ComfyError:
            return False
        return isinstance(stats.get("system"), dict)

    async def _inventory(self, url: str, oldest_s: float) -> Inventory:
        known = self._known(url)
        async with known.asking:
            if known.inventory is None or self._age(known.inventory_at) > oldest_s:
                try:
                    known.inventory = await self._take_stock(known.client)
                except ComfyError:
                    raise unreachable() from None
                known.inventory_at = self._clock()
        return known.inventory

    async def _take_stock(self, client: ComfyClient) -> Inventory:
        stats = await client.system_stats()
        nodes = frozenset(await client.object_info())
        folders = {model.folder for p in self._pipelines.values() for model in p.models}
        models = {
            folder: frozenset(_plain(name) for name in await client.models(folder))
            for folder in sorted(folders)
        }
        version = str(stats.get("system", {}).get("comfyui_version") or "")
        return Inventory(version, nodes, models)


@dataclass
class _Known:
    """What is known of one server, and one question to it at a time."""

    client: ComfyClient
    asking: asyncio.Lock = field(default_factory=asyncio.Lock)
    alive: bool = False
    alive_at: float | None = None
    inventory: Inventory | None = None
    inventory_at: float | None = None


def unreachable() -> ServerFailure:
    """Return the answer where a named ComfyUI does not answer."""
    return ServerFailure(
        "ComfyUI can't be reached: start it, or correct serverUrl or COMFYUI_SERVER_URL.",
        code="comfyui_unreachable",
        details="A ComfyUI that was named is never replaced by the built-in engine.",
    )


def _refusal(pipeline: Pipeline, missing: Missing) -> BadRequest:
    listed = ", ".join(missing.listed())
    sources = [f"{m.name}: {m.source}" for m in missing.models if m.source]
    return BadRequest(
        f"This ComfyUI can't run the pipeline {pipeline.name!r}, it lacks: {listed}.",
        code="missing_requirements",
        details=" ".join(["Install what is missing there and try again.", *sources]),
        fields={"comfyPipeline": f"lacks {listed}"},
    )


def _row(pipeline: Pipeline, inventory: Inventory | None) -> Json:
    missing = None if inventory is None else lacks(pipeline, inventory)
    return {
        "name": pipeline.name,
        "title": pipeline.title,
        "description": pipeline.description,
        "default": False,
        "parameters": [_param(param) for param in pipeline.params],
        "nodes": list(pipeline.nodes),
        "models": [asdict(model) for model in pipeline.models],
        "requires": pipeline.requires_comfyui,
        "missing": None if missing is None else _missing(missing),
    }


def _missing(missing: Missing) -> Json:
    return {
        "nodes": list(missing.nodes),
        "models": [{"name": m.name, "folder": f"models/{m.folder}"} for m in missing.models],
        "comfyui": missing.version,
        "any": bool(missing),
    }


def _param(param: Param) -> Json:
    row = asdict(replace(param, choices=()))
    return {**row, "choices": list(param.choices)}


def _place(model: ModelFile) -> str:
    return f"{model.name} in models/{model.folder}"


def _plain(name: str) -> str:
    """Return a model's name as every system spells it; Windows servers say 'sub\\a'."""
    return name.replace("\\", "/")


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version)[:3])
