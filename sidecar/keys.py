"""The typed keys under which the application holds its parts, and nothing else."""

from __future__ import annotations

import asyncio

from aiohttp import web

from .bell import Bell
from .media import LocalMediaStore
from .orders import Catalog, Orders
from .pictures import Pictures
from .servers import Servers
from .settings import Settings
from .store import SqliteJobStore

SETTINGS = web.AppKey("settings", Settings)
STORE = web.AppKey("store", SqliteJobStore)
MEDIA = web.AppKey("media", LocalMediaStore)
PICTURES = web.AppKey("pictures", Pictures)
ORDERS = web.AppKey("orders", Orders)
SERVERS = web.AppKey("servers", Servers)
CATALOG: web.AppKey[Catalog] = web.AppKey("catalog")
BELL = web.AppKey("bell", Bell)
VERSION = web.AppKey("version", str)
CLOSING = web.AppKey("closing", asyncio.Event)
