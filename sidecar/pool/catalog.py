"""The pipelines as the whole pool can run them: what `Orders` asks where no server is named.

Knows the pool and each server's catalog. Must not know jobs or routes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from sidecar.backends.catalog import Fits, ServerCatalog, any_fits, unreachable
from sidecar.http.bodies import MissingBody, PipelineBody, PipelineList
from sidecar.pipelines import Pipeline, find, key_of

from .pool import Pool

_FRESH_S = 2.0  # how new the knowledge must be before a name is called unknown
_ASKED = 8  # servers that are asked anew before something is called missing


class PoolCatalog:
    """As `ServerCatalog`; a blank server means any of the pool."""

    def __init__(self, catalog: ServerCatalog, pool: Pool) -> None:
        self._catalog = catalog
        self._pool = pool

    @property
    def pipelines(self) -> Mapping[str, Pipeline]:
        """All known pipelines by name; of those published under one name, the first server's."""
        found = dict(self._catalog.pipelines)
        for row in self._pool.rows:
            found = {**self._catalog.at(row.url), **found}
        own = self._catalog.pipelines
        return {**own, **{name: found[name] for name in sorted(found.keys() - own.keys())}}

    async def alive(self, url: str) -> bool:
        """Whether a ComfyUI answers there, or one of the pool does."""
        return await self._catalog.alive(url) if url else bool(await self._pool.ask_all())

    async def choose(self, server: str, name: str | None, fits: Fits = any_fits) -> Pipeline:
        """Return the named pipeline, or the best that the server, or one of the pool, can run.

        `fits`: as `ServerCatalog.choose` takes it. Raises BadRequest and ServerFailure as it does.
        """
        if server or len(self._pool.rows) == 1:
            return await self._catalog.choose(server or self._pool.rows[0].url, name, fits)
        urls = self._pool.alive() or await self._pool.ask_all()
        if name is not None and name not in self._catalog.pipelines:
            await asyncio.gather(*(self._catalog.look(url, _FRESH_S) for url in urls))
        wanted = [find(self.pipelines, name)] if name is not None else self._catalog.by_rank()
        run = frozenset[str]().union(*(self._catalog.runs(url) or () for url in urls))
        able = [pipeline for pipeline in wanted if key_of(pipeline) in run]
        if able:
            return next(filter(fits, able), able[0])
        return await self._asked(urls, name, fits)

    async def listing(self, server: str | None) -> PipelineList:
        """Return what GET /api/pipelines tells; of a pool, each at the server that lacks least."""
        if server or server is None or len(self._pool.rows) == 1:
            if server == "":
                server = self._pool.rows[0].url
            return await self._catalog.listing(server)
        urls = self._pool.alive() or await self._pool.ask_all()
        if not urls:
            raise unreachable()
        listings = await asyncio.gather(*(self._catalog.listing(url) for url in urls))
        rows = {url: self._keyed(url, one) for url, one in zip(urls, listings, strict=True)}
        keys = [key_of(pipeline) for pipeline in self.pipelines.values()]
        ranked = [pipeline.name for pipeline in self._catalog.by_rank()]
        return {
            "serverUrl": None,
            "pipelines": _joined(rows, keys, ranked),
            "unusable": [row for one in listings for row in one["unusable"]],
        }

    def _keyed(self, url: str, listing: PipelineList) -> dict[str, PipelineBody]:
        """Return a server's rows by what tells pipelines apart: two may have one name."""
        there = self._catalog.at(url)
        rows = {row["name"]: row for row in listing["pipelines"]}
        return {key_of(there[name]): row for name, row in rows.items() if name in there}

    async def _asked(self, urls: list[str], name: str | None, fits: Fits) -> Pipeline:
        """Ask some servers anew. Raises what the first of them says."""
        if not urls:
            raise unreachable()
        answers = await asyncio.gather(
            *(self._catalog.choose(url, name, fits) for url in urls[:_ASKED]),
            return_exceptions=True,
        )
        found = [answer for answer in answers if isinstance(answer, Pipeline)]
        if found:
            return max(found, key=lambda pipeline: (fits(pipeline), pipeline.rank))
        raise _truest([answer for answer in answers if isinstance(answer, BaseException)])


def _truest(errors: list[BaseException]) -> BaseException:
    """Return what to say: not that one server does not have what another one can't run."""
    known = [one for one in errors if getattr(one, "code", "") != "unknown_pipeline"]
    return next(iter([*known, *errors]), unreachable())


def _joined(
    rows: Mapping[str, Mapping[str, PipelineBody]], keys: list[str], by_rank: list[str]
) -> list[PipelineBody]:
    """Return one list of many servers' rows (by address, then by key): each pipeline's row from
    where the least is missing, with the servers that can run it.
    """
    joined: list[PipelineBody] = []
    for key in keys:
        there = {url: own[key] for url, own in rows.items() if key in own}
        if there:
            best = min(there.values(), key=lambda row: _lacking(row["missing"]))
            best["servers"] = [url for url, row in there.items() if not _lacking(row["missing"])]
            joined.append(best)
    runs = {row["name"] for row in joined if row.get("servers")}
    default = next((name for name in by_rank if name in runs), None)
    for row in joined:
        row["default"] = row["name"] == default
    return joined


def _lacking(missing: MissingBody | None) -> int:
    if missing is None:
        return 0
    return len(missing["nodes"]) + len(missing["models"]) + bool(missing["comfyui"])
