"""The pipelines as the whole pool can run them: what `Orders` asks where no server is named.

Knows the pool and each server's catalog. Must not know jobs or routes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from sidecar.backends.catalog import Fits, ServerCatalog, any_fits, unreachable
from sidecar.bodies import MissingBody, PipelineBody, PipelineList
from sidecar.pipelines import Pipeline, find

from .pool import Pool

_ASKED = 8  # servers that are asked anew before something is called missing


class PoolCatalog:
    """As `ServerCatalog`; a blank server means any of the pool."""

    def __init__(self, catalog: ServerCatalog, pool: Pool) -> None:
        self._catalog = catalog
        self._pool = pool

    @property
    def pipelines(self) -> Mapping[str, Pipeline]:
        """All known pipelines by name."""
        return self._catalog.pipelines

    async def alive(self, url: str) -> bool:
        """Whether a ComfyUI answers there, or one of the pool does."""
        return await self._catalog.alive(url) if url else bool(await self._pool.ask_all())

    async def choose(self, server: str, name: str | None, fits: Fits = any_fits) -> Pipeline:
        """Return the named pipeline, or the best that the server, or one of the pool, can run.

        `fits`: as `ServerCatalog.choose` takes it. Raises BadRequest and ServerFailure as it does.
        """
        if server or len(self._pool.rows) == 1:
            return await self._catalog.choose(server or self._pool.rows[0].url, name, fits)
        wanted = [find(self.pipelines, name)] if name is not None else self._catalog.by_rank()
        urls = self._pool.alive() or await self._pool.ask_all()
        run = frozenset[str]().union(*(self._catalog.runs(url) or () for url in urls))
        able = [pipeline for pipeline in wanted if pipeline.name in run]
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
        return _joined(listings, [pipeline.name for pipeline in self._catalog.by_rank()])

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
        first = answers[0]
        raise first if isinstance(first, BaseException) else unreachable()


def _joined(listings: list[PipelineList], by_rank: list[str]) -> PipelineList:
    """Return one listing of many servers': each pipeline's row from where the least is missing."""
    rows: list[PipelineBody] = []
    for same in zip(*(listing["pipelines"] for listing in listings), strict=True):
        best = min(same, key=lambda row: _lacking(row["missing"]))
        pairs = zip(listings, same, strict=True)
        able = [listing["serverUrl"] for listing, row in pairs if not _lacking(row["missing"])]
        best["servers"] = [url for url in able if url is not None]
        rows.append(best)
    runs = {row["name"] for row in rows if row.get("servers")}
    default = next((name for name in by_rank if name in runs), None)
    for row in rows:
        row["default"] = row["name"] == default
    return {"serverUrl": None, "pipelines": rows}


def _lacking(missing: MissingBody | None) -> int:
    if missing is None:
        return 0
    return len(missing["nodes"]) + len(missing["models"]) + bool(missing["comfyui"])
