"""The typed keys under which the application holds its parts, and nothing else."""

from __future__ import annotations

import asyncio

from aiohttp import web

from .bus import EventBus
from .media import LocalMediaStore
from .orders import Catalog, Orders
from .pictures import Pictures
from .places import Places
from .servers import Servers
from .settings import Settings
from .store import SqliteJobStore
from .streams import Streams

SETTINGS = web.AppKey("settings", Settings)
STORE = web.AppKey("store", SqliteJobStore)
MEDIA = web.AppKey("media", LocalMediaStore)
PICTURES = web.AppKey("pictures", Pictures)
ORDERS = web.AppKey("orders", Orders)
SERVERS = web.AppKey("servers", Servers)
CATALOG: web.AppKey[Catalog] = web.AppKey("catalog")
BUS: web.AppKey[EventBus] = web.AppKey("bus")
PLACES = web.AppKey("places", Places)
STREAMS = web.AppKey("streams", Streams)
VERSION = web.AppKey("version", str)
DRAINING = web.AppKey("draining", asyncio.Event)  # no new work is taken
CLOSING = web.AppKey("closing", asyncio.Event)
