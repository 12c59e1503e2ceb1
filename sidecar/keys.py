"""The typed keys under which the application holds its parts, and nothing else."""

from __future__ import annotations

import asyncio

from aiohttp import web

from .access.door import Access
from .bus import EventBus
from .http.heavy import Heavy
from .http.streams import Streams
from .media import LocalMediaStore
from .observe.metrics import Metrics
from .observe.snapshots import Snapshots
from .openapi.described import Described
from .orders import Catalog, Orders
from .pictures import Pictures
from .places import Places
from .servers import Servers
from .settings import Settings
from .store import SqliteJobStore

SETTINGS = web.AppKey("settings", Settings)
ACCESS = web.AppKey("access", Access)
STORE = web.AppKey("store", SqliteJobStore)
MEDIA = web.AppKey("media", LocalMediaStore)
HEAVY = web.AppKey("heavy", Heavy)
PICTURES = web.AppKey("pictures", Pictures)
ORDERS = web.AppKey("orders", Orders)
SERVERS = web.AppKey("servers", Servers)
CATALOG: web.AppKey[Catalog] = web.AppKey("catalog")
BUS: web.AppKey[EventBus] = web.AppKey("bus")
PLACES = web.AppKey("places", Places)
STREAMS = web.AppKey("streams", Streams)
METRICS = web.AppKey("metrics", Metrics)
SNAPSHOTS = web.AppKey("snapshots", Snapshots)
DESCRIBED = web.AppKey("described", Described)
VERSION = web.AppKey("version", str)
DRAINING = web.AppKey("draining", asyncio.Event)  # no new work is taken
CLOSING = web.AppKey("closing", asyncio.Event)
