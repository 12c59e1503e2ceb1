"""Which pipelines there are, and which of them a ComfyUI can run.

Joins pipelines with what a server says of itself. What it says is kept for a while; before anything
is called missing it is asked again. Must not know jobs or routes.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import aiohttp

from sidecar.comfy.client import ComfyClient
from sidecar.comfy.errors import ComfyError
from sidecar.errors import BadRequest, ServerFailure
from sidecar.http.bodies import (
    MissingBody,
    ModelBody,
    ParameterBody,
    PipelineBody,
    PipelineList,
    UnusableBody,
)
from sidecar.pipelines import ModelFile, Pipeline, Published, find, key_of
from sidecar.rules import Param

from .published import Rack
from .stock import Inventory, Missing, Models, Software, ask_models, ask_software, lacks

_ALIVE_S = 2.0  # how long an answer to "is it there?" holds
_KNOWN_S = 300.0  # how long a server's nodes and models are believed to be there
_LISTED_S = 10.0  # the same of the models where the best pipeline is looked for: one may be new
_FRESH_S = 2.0  # how new the knowledge must be before something is called missing
_SHADOWED = "the service has a pipeline of that name already, which is used: take another name."


Fits = Callable[[Pipeline], bool]


def any_fits(_: Pipeline) -> bool:
    """Return True: nothing is asked that only some pipelines can do."""
    return True


class ServerCatalog:
    """The pipelines, and each server's state of knowledge. `clock` is in seconds.

    `published`: whether pipelines that lie on a server count, too, for that server.
    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        pipelines: Mapping[str, Pipeline],
        *,
        clock: Callable[[], float] = time.monotonic,
        answer_s: float = 10.0,
        published: bool = False,
    ) -> None:
        self._session = session
        self._pipelines = dict(pipelines)
        self._clock = clock
        self._answer_s = answer_s
        self._published = published
        self._servers: dict[str, _Known] = {}
        self._racks: dict[str, Rack] = {}

    @property
    def pipelines(self) -> Mapping[str, Pipeline]:
        """The service's own pipelines by name."""
        return self._pipelines

    def at(self, server: str) -> Mapping[str, Pipeline]:
        """Return the pipelines by name that are known for a server: our own go first."""
        return {**self._pipelines, **self._there(server)}

    def keys(self) -> set[str]:
        """Return what tells all pipelines apart (`key_of`), those of earlier versions too."""
        return set(self._pipelines).union(*(rack.held for rack in self._racks.values()))

    def refused(self, server: str) -> Mapping[str, str]:
        """Return why some that were published there can't be used, by name."""
        rack = self._racks.get(server)
        shadowed = {name: _SHADOWED for name in rack.now if name in self._pipelines} if rack else {}
        return {**shadowed, **rack.refused} if rack else {}

    async def look(self, server: str, age_s: float = 0.0) -> None:
        """See what is published at a server, unless that was done so lately."""
        known = self._known(server)
        if not self._published or self._age(known.looked_at) < age_s:
            return
        rack = self._racks.setdefault(server, Rack())
        if await rack.look(known.client) and known.models_at is not None:
            known.models_at = float("-inf")  # they may lie in other folders
        known.looked_at = self._clock()

    async def alive(self, url: str) -> bool:
        """Whether a ComfyUI answers there (as of at most 2 seconds ago)."""
        known = self._known(url)
        async with known.asking:
            if self._age(known.alive_at) > _ALIVE_S:
                known.alive = await self._answers(known)
                known.alive_at = self._clock()
        return known.alive

    async def choose(self, server: str, name: str | None, fits: Fits = any_fits) -> Pipeline:
        """Return the named pipeline, or the highest-ranking one that the server can run.

        `fits`: of those that run there, the best that does what was asked; if none does, the best.
        Raises BadRequest for one that is unknown or lacks something there (listing it), and
        ServerFailure for a server that can't be reached.
        """
        if self._may_be_there(name) and await self.alive(server):
            await self.look(server, _FRESH_S)
        wanted = [self._named(server, name)] if name is not None else self.by_rank()
        if not await self.alive(server):
            raise unreachable()
        missing: dict[str, Missing] = {}
        listed_s = _KNOWN_S if name is not None else _LISTED_S
        for nodes_s, models_s in ((_KNOWN_S, listed_s), (_FRESH_S, _FRESH_S)):
            inventory = await self._inventory(server, nodes_s, models_s)
            for pipeline in wanted:
                missing[pipeline.name] = lacks(pipeline, inventory)
            able = [pipeline for pipeline in wanted if not missing[pipeline.name]]
            if able:
                return next(filter(fits, able), able[0])
        last = wanted[-1]
        raise _refusal(last, missing[last.name])

    async def listing(self, server: str | None) -> PipelineList:
        """Return what GET /api/pipelines tells. Raises ServerFailure if the server is away.

        Without a server "missing" is null, and the built-in engine takes the place of the default.
        """
        inventory = None
        if server is not None:
            if not await self.alive(server):
                raise unreachable()
            await self.look(server, _FRESH_S)
            inventory = await self._inventory(server, _FRESH_S, _FRESH_S)
        there = self._pipelines if server is None else self.at(server)
        rows = [_row(pipeline, inventory) for pipeline in there.values()]
        runs = {row["name"] for row in rows if not _lacks_any(row["missing"])}
        default = next((p.name for p in self.by_rank() if p.name in runs), None)
        if server is None:
            default = self.by_rank()[-1].name
        for row in rows:
            row["default"] = row["name"] == default
        unusable = [] if server is None else self.unusable(server)
        return {"serverUrl": server, "pipelines": rows, "unusable": unusable}

    def unusable(self, server: str) -> list[UnusableBody]:
        """Return what GET /api/pipelines tells of those that can't be used."""
        rows = self.refused(server).items()
        return [{"name": name, "serverUrl": server, "reason": why} for name, why in rows]

    def client(self, server: str) -> ComfyClient:
        """Return the client that asks the server."""
        return self._known(server).client

    async def learn(self, server: str) -> None:
        """Ask the server what it has, unless that is known. Raises ServerFailure."""
        await self._inventory(server, _KNOWN_S, _KNOWN_S)

    def version(self, server: str) -> str:
        """Return the server's version; blank if it is not known."""
        return self._known(server).software.version

    def windows(self, server: str) -> bool:
        """Whether the server is known to run on Windows, where names have backslashes."""
        return self._known(server).software.windows

    def runs(self, server: str) -> frozenset[str] | None:
        """Return the keys of the pipelines that the server can run; None if that is not known."""
        known, rack = self._known(server), self._racks.get(server)
        as_of = (known.software_at, known.models_at, rack.version if rack else None)
        if None in as_of[:2]:
            return None
        if known.runs_as_of != as_of:
            inventory = Inventory(known.software.version, known.software.nodes, known.models)
            able = [key_of(p) for p in self._runnable(server) if not lacks(p, inventory)]
            known.runs, known.runs_as_of = frozenset(able), as_of
        return known.runs

    def forget(self, server: str) -> None:
        """Ask the server again at the next occasion: it turned out to be different."""
        self._servers.pop(server, None)

    def by_rank(self) -> list[Pipeline]:
        """Return the pipelines that may be chosen for a request that names none, the best first."""
        ranked = [pipeline for pipeline in self._pipelines.values() if pipeline.rank > 0]
        return sorted(ranked, key=lambda pipeline: -pipeline.rank)

    def _there(self, server: str) -> Mapping[str, Pipeline]:
        """Return what is published there and hidden by none of our own."""
        rack = self._racks.get(server)
        found = rack.now.items() if rack else ()
        return {name: pipeline for name, pipeline in found if name not in self._pipelines}

    def _may_be_there(self, name: str | None) -> bool:
        return self._published and name is not None and name not in self._pipelines

    def _runnable(self, server: str) -> list[Pipeline]:
        """Return what a job may want of the server: earlier versions of what is published, too."""
        rack = self._racks.get(server)
        return [*self._pipelines.values(), *(rack.held.values() if rack else ())]

    def _named(self, server: str, name: str) -> Pipeline:
        """Return a pipeline by name. Raises BadRequest."""
        why = self.refused(server).get(name)
        if why and name not in self._pipelines:
            raise BadRequest(
                f"The pipeline {name!r} that is published on this ComfyUI can't be used: {why}",
                code="unknown_pipeline",
                details="Publish it again, or remove it there.",
                fields={"comfyPipeline": "can't be used"},
            )
        return find(self.at(server), name)

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

    async def _inventory(self, url: str, nodes_s: float, models_s: float) -> Inventory:
        """Return what the server has, its nodes and models known no longer than that."""
        known = self._known(url)
        async with known.asking:
            try:
                await self._refresh(known, nodes_s, models_s)
            except ComfyError:
                raise unreachable() from None
        return Inventory(known.software.version, known.software.nodes, known.models)

    async def _refresh(self, known: _Known, nodes_s: float, models_s: float) -> None:
        if self._age(known.software_at) > nodes_s:
            known.software = await ask_software(known.client)
            known.software_at = self._clock()
        if self._age(known.models_at) > models_s:
            wanted = self._runnable(known.client.url)
            folders = {model.folder for p in wanted for model in p.models}
            known.models = await ask_models(known.client, folders)
            known.models_at = self._clock()


@dataclass
class _Known:
    """What is known of one server, and one question to it at a time."""

    client: ComfyClient
    asking: asyncio.Lock = field(default_factory=asyncio.Lock)
    alive: bool = False
    alive_at: float | None = None
    software: Software = field(default_factory=lambda: Software("", frozenset()))
    software_at: float | None = None
    models: Models = field(default_factory=dict[str, frozenset[str]])
    models_at: float | None = None
    runs: frozenset[str] = frozenset()
    runs_as_of: tuple[float | None, float | None, int | None] = (None, None, None)
    looked_at: float | None = None


def unreachable() -> ServerFailure:
    """Return the answer where a named ComfyUI does not answer."""
    return ServerFailure(
        "ComfyUI can't be reached: start it, or correct serverUrl or COMFYUI_SERVER_URL.",
        code="comfyui_unreachable",
        details="A ComfyUI that was named is never replaced by the built-in engine.",
    )


def _refusal(pipeline: Pipeline, missing: Missing) -> BadRequest:
    listed = ", ".join(missing.listed())
    return BadRequest(
        f"This ComfyUI can't run the pipeline {pipeline.name!r}, {missing.told()}.",
        code="missing_requirements",
        details=" ".join(
            ["Install what is missing there and try again.", *_hints(pipeline.name, missing)]
        ),
        fields={"comfyPipeline": f"lacks {listed}"},
    )


def _hints(pipeline: str, missing: Missing) -> list[str]:
    """Return the command that brings missing models, and where each can be had: elsewhere on the
    server, or its source.
    """
    found: list[str] = []
    if any(not elsewhere for elsewhere in missing.elsewhere):
        found.append(f"The models: promptreel models pull {pipeline} --comfyui PATH.")
    for model, elsewhere in zip(missing.models, missing.elsewhere, strict=True):
        if elsewhere:
            found.append(f"{elsewhere} is there, but the graph names it {model.name}: move it.")
        elif model.source:
            found.append(f"{model.name}: {model.source}")
    return found


def _row(pipeline: Pipeline, inventory: Inventory | None) -> PipelineBody:
    missing = None if inventory is None else lacks(pipeline, inventory)
    return {
        "name": pipeline.name,
        "title": pipeline.title,
        "description": pipeline.description,
        "default": False,
        "parameters": [_param(param) for param in pipeline.params],
        "nodes": list(pipeline.nodes),
        "models": [_model(model) for model in pipeline.models],
        "requires": pipeline.requires_comfyui,
        "vram": pipeline.vram,
        "published": isinstance(pipeline, Published),
        "missing": None if missing is None else _missing(missing),
    }


def _missing(missing: Missing) -> MissingBody:
    return {
        "nodes": list(missing.nodes),
        "models": [_missing_model(model) for model in missing.models],
        "comfyui": missing.version,
    }


def _lacks_any(missing: MissingBody | None) -> bool:
    return missing is not None and any(missing.values())


def _model(model: ModelFile) -> ModelBody:
    return {
        "name": model.name,
        "folder": model.folder,
        "size": model.size,
        "licence": model.licence,
        "source": model.source,
        "sha256": model.sha256,
    }


def _missing_model(model: ModelFile) -> ModelBody:
    return {
        "name": model.name,
        "folder": f"models/{model.folder}",
        "size": model.size,
        "licence": model.licence,
        "source": model.source,
    }


def _param(param: Param) -> ParameterBody:
    return {
        "name": param.name,
        "type": param.type,
        "default": param.default,
        "minimum": param.minimum,
        "maximum": param.maximum,
        "choices": list(param.choices),
        "help": param.help,
    }
