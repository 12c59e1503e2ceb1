"""GET /promptreel/boot: which pack this is, and which run of ComfyUI.

    -> {version, boot}

`version` is the pack's, from its pyproject.toml; `boot` is another UUID each time ComfyUI starts.
"""

from __future__ import annotations

import asyncio
import re
import uuid
from functools import lru_cache
from pathlib import Path

from aiohttp import web

from .answers import Route

METADATA = Path(__file__).parents[1] / "pyproject.toml"
VERSION = re.compile(r'^version = "([^"]+)"$', re.MULTILINE)


async def boot(_: web.Request) -> web.Response:
    """Return the answer."""
    told = {"version": await asyncio.to_thread(version), "boot": boot_id()}
    return web.json_response(told)


@lru_cache
def version() -> str:
    """Return the pack's version; blank where its metadata is not with it."""
    try:
        found = VERSION.search(METADATA.read_text(encoding="utf-8"))
    except OSError:
        return ""
    return found[1] if found else ""


@lru_cache
def boot_id() -> str:
    """Return this process' own id."""
    return str(uuid.uuid4())


ROUTES = (Route("GET", "/promptreel/boot", boot),)
