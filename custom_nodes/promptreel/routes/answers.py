"""What all of the pack's routes share: a bounded JSON object in, a JSON object out.

A handler is a plain function of the body; it runs beside the event loop. What it refuses
(EngineError) is answered as 400 with one sentence: {"error": "..."}.
"""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from ..engine.errors import EngineError, ParameterError

MAX_BODY = 1_000_000  # bytes: the longest text that the parser reads, however it is escaped
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Body = Mapping[str, Any]


@dataclass(frozen=True)
class Route:
    """One route: `path` begins with /promptreel/."""

    method: str
    path: str
    handler: Handler


def answering(work: Callable[[Body], Mapping[str, Any]]) -> Handler:
    """Return the handler that answers a JSON object with what `work` makes of it."""

    async def handle(request: web.Request) -> web.Response:
        try:
            body = await read(request)
            return web.json_response(await asyncio.to_thread(work, body))
        except EngineError as why:
            return web.json_response({"error": str(why)}, status=400)

    return handle


async def read(request: web.Request, most: int = MAX_BODY) -> Body:
    """Return the body's JSON object, of at most `most` bytes. Raises ParameterError for else."""
    data = await _bounded(request, most)
    try:
        body = json.loads(data)
    except (ValueError, RecursionError):
        body = None
    if not isinstance(body, dict):
        raise ParameterError('Send a JSON object, such as {"text": "push in"}.')
    return body


def text_of(body: Body, name: str) -> str:
    """Return a text of the body; "" where there is none."""
    value = body.get(name, "")
    if not isinstance(value, str):
        raise ParameterError(f"{name} must be a text.")
    return value


def number_of(body: Body, name: str, default: float) -> float:
    """Return a finite number of the body."""
    value = body.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int | float) or not _finite(value):
        raise ParameterError(f"{name} must be a number.")
    return float(value)


def rows_of(body: Body, name: str, most: int) -> list[Body]:
    """Return a list of objects of the body; none where there is no such list."""
    rows = body.get(name, [])
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise ParameterError(f"{name} must be a list of objects.")
    if len(rows) > most:
        raise ParameterError(f"{name} may have at most {most} entries, not {len(rows)}.")
    return rows


def _finite(value: float) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:
        return False


async def _bounded(request: web.Request, most: int) -> bytes:
    data = bytearray()
    async for chunk in request.content.iter_chunked(65536):
        data += chunk
        if len(data) > most:
            raise ParameterError(f"The request is too long: send at most {most} bytes.")
    return bytes(data)
