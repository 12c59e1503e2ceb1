"""The ComfyUI side put together: servers, catalog, backend. Knows the settings; must not know HTTP
routes.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from .backends.catalog import ServerCatalog
from .backends.comfy import ComfyBackend
from .comfy.follow import Pace
from .limits import Limits
from .media import MediaStore
from .pipelines import Pipeline
from .pool.catalog import PoolCatalog
from .pool.pool import Pool, Watch
from .pool.rows import ServerRow, read_servers
from .servers import Servers
from .settings import Settings


@dataclass(frozen=True)
class ComfySide:
    """What the rest of the service uses of it."""

    servers: Servers
    catalog: PoolCatalog
    pool: Pool
    backend: ComfyBackend


@asynccontextmanager
async def comfy_side(
    settings: Settings,
    session: aiohttp.ClientSession,
    media: MediaStore,
    pipelines: dict[str, Pipeline],
    watch: Watch,
    *,
    alone: bool,
) -> AsyncGenerator[ComfySide, None]:
    """Give the ComfyUI side for the time of the block. `alone`: no other process has our data."""
    rows = () if settings.mode == "demo" else await asyncio.to_thread(read_servers, settings)
    catalog = ServerCatalog(session, pipelines, published=settings.published == "on")
    pool = Pool(rows, catalog, most=settings.comfyui_jobs, watch=watch)
    backend = ComfyBackend(
        session,
        media,
        catalog,
        pool,
        client_id=await asyncio.to_thread(_client_id, settings.data_dir, alone=alone),
        input_dir=settings.comfyui_input_dir,
        input_dirs=_input_dirs(rows),
        pace=Pace(stall_s=settings.comfyui_seconds, away_s=watch.away_s),
        limits=limits_of(settings),
    )
    try:
        async with pool.watching():
            yield ComfySide(
                Servers(settings, pool, catalog.alive), PoolCatalog(catalog, pool), pool, backend
            )
    finally:
        await backend.close()


def limits_of(settings: Settings) -> Limits:
    """Return how long jobs may take; the settings' 0 means no limit."""
    return Limits(settings.start_seconds or None, settings.total_seconds or None)


def _input_dirs(rows: tuple[ServerRow, ...]) -> dict[str, str]:
    return {row.url: row.input_dir for row in rows}


def _client_id(folder: Path, *, alone: bool) -> str:
    """Return the name that ComfyUI knows us by; kept, so that it goes on telling after a restart.

    ComfyUI sends what happens to a prompt only to the name that posted it.
    """
    path = folder / "client-id"
    if not alone:
        return uuid.uuid4().hex
    known = path.read_text(encoding="ascii").strip() if path.is_file() else ""
    if known:
        return known
    path.write_text(fresh := uuid.uuid4().hex, encoding="ascii")
    return fresh
