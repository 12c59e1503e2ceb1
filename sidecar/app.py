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

from .access.door import Access
from .api import ROUTES
from .backends.base import Backend
from .backends.demo import DemoBackend
from .bus import WAKE, LocalBus
from .comfy.client import new_session
from .dispatcher import Dispatcher, Lane
from .folder import claimed
from .housekeeping.keeper import Keeper, keep_of
from .http.draining import Answers
from .http.heavy import Heavy
from .http.middlewares import add_headers, authorized, belonging, errors
from .http.streams import Streams
from .keys import (
    ACCESS,
    BUS,
    CATALOG,
    CLOSING,
    DESCRIBED,
    DRAINING,
    HEAVY,
    MEDIA,
    METRICS,
    ORDERS,
    PICTURES,
    PLACES,
    SERVERS,
    SETTINGS,
    SNAPSHOTS,
    STORE,
    STREAMS,
    VERSION,
)
from .manifest import bundled_folder, load_pipelines
from .media import LocalMediaStore
from .observe.lag import measuring
from .observe.metrics import Metrics
from .observe.requests import observing, preparing
from .observe.snapshots import Snapshots
from .observe.taps import CountedFetcher, HeardBus, ObservedBackend
from .observe.tracing import NoTracing, Tracing
from .openapi.described import Described
from .orders import Orders
from .pictures import Pictures
from .pipelines import Pipeline
from .places import Places
from .pool.pool import Watch
from .room import Slots
from .settings import Settings
from .sources import Sources
from .store import SqliteJobStore, open_store
from .webhooks.address import WebhookAddresses
from .webhooks.post import Poster
from .webhooks.sender import Sender
from .webhooks.sign import Signer
from .wiring import ComfySide, comfy_side, limits_of

_TEXTS = 1024 * 1024  # bytes that the other fields of a form may take beside a data: URI
_DECODERS = 2  # pictures checked at once; each may take 200 MB
_WORKER = web.AppKey("worker", Dispatcher)
_ANSWERS = web.AppKey("answers", Answers)
_WATCH = web.AppKey("watch", Watch)
_TRACING: web.AppKey[Tracing] = web.AppKey("tracing")


def create_app(
    settings: Settings, watch: Watch | None = None, tracing: Tracing | None = None
) -> web.Application:
    """Return the application; its parts start and end with it.

    `watch`: how often servers are looked at, where that is not to be as usual. `tracing`: where
    spans go; it is closed with the application.
    """
    answers, tracing = Answers(), tracing or NoTracing()
    largest = settings.max_upload_bytes * 4 // 3 + _TEXTS
    app = web.Application(
        client_max_size=largest,
        middlewares=[
            observing(lambda: app[METRICS], tracing),
            answers.middleware(),
            errors,
            belonging,
            authorized,
        ],
    )
    app[_ANSWERS] = answers
    app[_TRACING] = tracing
    app[_WATCH] = watch or Watch(away_s=settings.comfyui_away_seconds)
    app[SETTINGS] = settings
    app[ACCESS] = Access(settings.data_dir, settings.api_key)
    app[HEAVY] = Heavy(largest)
    app[BUS] = LocalBus()
    app[STREAMS] = Streams(settings.max_event_clients)
    app[DESCRIBED] = Described(settings)
    app[DRAINING] = asyncio.Event()
    app[CLOSING] = asyncio.Event()
    app.add_routes(ROUTES)
    app.on_response_prepare.append(add_headers)
    app.on_response_prepare.append(preparing(lambda: app[METRICS]))
    app.on_shutdown.append(_announce_closing)
    app.cleanup_ctx.append(_parts)
    return app


async def drain(app: web.Application) -> None:
    """Take no new work, and let the answers under way finish, for as long as the setting says."""
    app[DRAINING].set()
    app[BUS].publish_all(WAKE)
    await app[_WORKER].take_no_more()
    await app[_ANSWERS].finished(app[SETTINGS].shutdown_seconds)


async def _announce_closing(app: web.Application) -> None:
    """Let those who wait for a video answer that the service is closing."""
    app[CLOSING].set()
    app[BUS].publish_all(WAKE)


async def _parts(app: web.Application) -> AsyncIterator[None]:
    settings = app[SETTINGS]
    app[VERSION] = await asyncio.to_thread(_version)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(asyncio.to_thread, app[_TRACING].close)
        metrics = app[METRICS] = await asyncio.to_thread(Metrics, app[VERSION])
        await stack.enter_async_context(measuring(metrics))
        alone = await stack.enter_async_context(claimed(settings.data_dir))
        await app[ACCESS].look()
        media = app[MEDIA] = LocalMediaStore(settings.data_dir)
        await media.open(alone=alone)
        store = app[STORE] = await stack.enter_async_context(
            open_store(settings.data_dir / "jobs.db", HeardBus(app[BUS], metrics))
        )
        app[PLACES] = Places(store)
        if settings.webhook_secrets:
            await stack.enter_async_context(_sender(settings, store).serving())
        session = await stack.enter_async_context(new_session())
        pipelines = await asyncio.to_thread(_pipelines, settings)
        comfy = await stack.enter_async_context(
            comfy_side(settings, session, media, pipelines, app[_WATCH], alone=alone)
        )
        lanes = _doors(app, stack, comfy)
        app[SNAPSHOTS] = _snapshots(app, lanes)
        worker_id = "main" if alone else f"also-{secrets.token_hex(4)}"
        worker = app[_WORKER] = Dispatcher(store, media, worker_id, bus=app[BUS])
        await stack.enter_async_context(worker.serving(lanes))
        if alone:
            await stack.enter_async_context(_keeper(settings, store, media, comfy).keeping())
        yield


def _doors(app: web.Application, stack: AsyncExitStack, comfy: ComfySide) -> list[Lane]:
    """Make what requests go through, and the lanes of jobs with their backends."""
    settings, media = app[SETTINGS], app[MEDIA]
    app[CATALOG], app[SERVERS] = comfy.catalog, comfy.servers
    pictures = app[PICTURES] = Pictures(
        media,
        _pool(stack, "picture", _DECODERS),
        settings.max_upload_bytes,
        settings.max_uploads,
    )
    metrics = app[METRICS]
    metrics.pipelines = lambda: comfy.catalog.pipelines
    fetcher = CountedFetcher(seconds=settings.fetch_seconds, allowed=settings.allowed_image_hosts)
    fetcher.meter = metrics
    app[ORDERS] = Orders(
        comfy.servers, comfy.catalog, Sources(media, pictures, fetcher), _addresses(settings)
    )
    demo = DemoBackend(media, _pool(stack, "demo", settings.demo_jobs))

    def observed(backend: Backend) -> ObservedBackend:
        return ObservedBackend(backend, media, metrics, app[_TRACING])

    return [
        Lane("demo", observed(demo), Slots(settings.demo_jobs)),
        Lane("comfyui", observed(comfy.backend), comfy.pool, limits_of(settings)),
    ]


def _snapshots(app: web.Application, lanes: list[Lane]) -> Snapshots:
    return Snapshots(
        app[STORE],
        app[STORE].outbox,
        app[MEDIA],
        app[SETTINGS].data_dir,
        lanes=tuple(lane.name for lane in lanes),
        servers=app[SERVERS].describe,
        event_clients=lambda: app[STREAMS].open,
    )


def _keeper(
    settings: Settings, store: SqliteJobStore, media: LocalMediaStore, comfy: ComfySide
) -> Keeper:
    return Keeper(
        store,
        media,
        lambda: comfy.backend.inputs(comfy.pool.alive()),
        keep_of(settings),
        begin=comfy.pool.looked,
    )


def _addresses(settings: Settings) -> WebhookAddresses:
    return WebhookAddresses(
        enabled=bool(settings.webhook_secrets), allowed=settings.allowed_webhook_hosts
    )


def _sender(settings: Settings, store: SqliteJobStore) -> Sender:
    post = Poster(allowed=settings.allowed_webhook_hosts)
    return Sender(store.outbox, store, Signer(settings.webhook_secrets), post)


def _pipelines(settings: Settings) -> dict[str, Pipeline]:
    """Read our own pipelines and the operator's; of one name, ours is used."""
    own = [Path(settings.pipelines_dir).expanduser()] if settings.pipelines_dir else []
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
