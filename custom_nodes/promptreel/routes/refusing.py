"""How routes that change something answer: who may ask, and refusals with their status.

A page of another site must not reach them through a person's browser, whatever ComfyUI's own
settings allow. Knows HTTP; must not know what is asked for.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from aiohttp import web

from ..engine.errors import EngineError
from ..publish.errors import ImportFailure, Lacking
from ..publish.shelf import Broken, Taken, Unknown
from .answers import Handler

Ask = Callable[[web.Request], Awaitable[web.StreamResponse]]

_STATUS: Mapping[type[ImportFailure], int] = {Taken: 409, Unknown: 404, Broken: 500}


class Refused(Exception):
    """An answer that is not a yes: a sentence, its status, and further keys of the answer."""

    def __init__(self, error: str, status: int = 400, **more: Any) -> None:  # noqa: ANN401
        super().__init__(error)
        self.error, self.status, self.more = error, status, more


def refusing(ask: Ask) -> Handler:
    """Return the handler that answers what `ask` raises."""

    async def handle(request: web.Request) -> web.StreamResponse:
        try:
            _check_site(request)
            return await ask(request)
        except Refused as why:
            return _answer(why.error, why.status, why.more)
        except EngineError as why:
            return _answer(str(why), 400, {})
        except ImportFailure as why:
            said = f"{why.said}." if isinstance(why, Lacking) else str(why)
            return _answer(said, _STATUS.get(type(why), 400), {})

    return handle


def _answer(error: str, status: int, more: Mapping[str, Any]) -> web.Response:
    return web.json_response({"error": error, **more}, status=status)


def _check_site(request: web.Request) -> None:
    """Raise Refused for a page of another site, and for a form, which needs no leave to be sent."""
    site = request.headers.get("Sec-Fetch-Site")
    origin = request.headers.get("Origin")
    if site is not None:
        own = site in ("same-origin", "none")
    else:
        own = origin is None or urlsplit(origin).netloc.lower() == request.host.lower()
    if not own:
        raise Refused("Only ComfyUI's own page may ask this.", 403)
    if request.method == "POST" and request.content_type != "application/json":
        raise Refused("Send JSON: Content-Type must be application/json.", 415)
