"""The application: its parts made, wired, and closed in the right order. Nothing is global."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from aiohttp import web

from .api import ROUTES
from .backends.catalog import ServerCatalog
from .backends.comfy import ComfyBackend
from .backends.demo import DemoBackend
from .bell import Bell
from .comfy.client import new_session
from .comfy.follow import Pace
from .dispatcher import Dispatcher, Lane
from .fetch import Fetcher
from .folder import claimed
from .keys import BELL, CATALOG, CLOSING, MEDIA, ORDERS, PICTURES, SERVERS, SETTINGS, STORE, VERSION
from .manifest import bundled_folder, load_pipelines
from .media import LocalMediaStore
from .middlewares import add_headers, authorized, belonging, errors
from .orders import Orders
from .pictures import Pictures
from .pipelines import Pipeline
from .servers import Servers
from .settings import Settings
from .sources import Sources
from .store import open_store

_TEXTS = 1024 * 1024  # bytes that the other fields of a form may take beside a data: URI
_DECODERS = 2  # pictures checked at once; each may take 200 MB


def create_app(settings: Settings) -> web.Application:
    """Return the application; its parts start and end with it."""
    app = web.Application(
        client_max_size=settings.max_upload_bytes * 4 // 3 + _TEXTS,
        middlewares=[errors, belonging, authorized],
    )
    app[SETTINGS] = settings
    app[BELL] = Bell()
    app[CLOSING] = asyncio.Event()
    app.add_routes(ROUTES)
    app.on_response_prepare.append(add_headers)
    app.on_shutdown.append(_announce_closing)
    app.cleanup_ctx.append(_parts)
    return app


async def _announce_closing(app: web.Application) -> None:
    """Let those who wait for a video answer that the service is closing."""
    app[CLOSING].set()
    app[BELL].ring_all()


async def _parts(app: web.Application) -> AsyncIterator[None]:
    settings = app[SETTINGS]
    app[VERSION] = await asyncio.to_thread(_version)
    async with AsyncExitStack() as stack:
        alone = await stack.enter_async_context(claimed(settings.data_dir))
        media = app[MEDIA] = LocalMediaStore(settings.data_dir)
        await media.open(alone=alone)
        store = app[STORE] = await stack.enter_async_context(
            open_store(settings.data_dir / "jobs.db", app[BELL])
        )
        lanes = await _doors(app, stack)
        worker_id = "main" if alone else f"also-{secrets.token_hex(4)}"
        await stack.enter_async_context(Dispatcher(store, media, worker_id).serving(lanes))
        yield


async def _doors(app: web.Application, stack: AsyncExitStack) -> list[Lane]:
    """Make what requests go through, and the lanes of jobs with their backends."""
    settings, media = app[SETTINGS], app[MEDIA]
    session = await stack.enter_async_context(new_session())
    pipelines = await asyncio.to_thread(_pipelines, settings)
    catalog = app[CATALOG] = ServerCatalog(session, pipelines)
    servers = app[SERVERS] = Servers(settings, catalog.alive)
    pictures = app[PICTURES] = Pictures(
        media, _pool(stack, "picture", _DECODERS), settings.max_upload_bytes
    )
    fetcher = Fetcher(seconds=settings.fetch_seconds, allowed=settings.allowed_image_hosts)
    app[ORDERS] = Orders(servers, catalog, Sources(media, pictures, fetcher))
    demo = DemoBackend(media, _pool(stack, "demo", settings.demo_jobs))
    comfy = ComfyBackend(
        session,
        media,
        catalog,
        input_dir=settings.comfyui_input_dir,
        pace=Pace(stall_s=settings.comfyui_seconds),
    )
    stack.push_async_callback(comfy.close)
    return [Lane("demo", demo, settings.demo_jobs), Lane("comfyui", comfy, settings.comfyui_jobs)]


def _pipelines(settings: Settings) -> dict[str, Pipeline]:
    """Read our own pipelines and the operator's; of one name, ours is used."""
    own = [Path(settings.pipelines_dir)] if settings.pipelines_dir else []
    return load_pipelines([bundled_folder(), *own])


def _pool(stack: AsyncExitStack, name: str, size: int) -> ThreadPoolExecutor:
    """Make a pool that is not waited for at the end: what ran in it has been stopped before."""
    pool = ThreadPoolExecutor(size, thread_name_prefix=name)
    stack.callback(pool.shutdown, wait=False, cancel_futures=True)
    return pool


def _version() -> str:
    try:
        return version("promptreel")
    except PackageNotFoundError:
        return "0"
