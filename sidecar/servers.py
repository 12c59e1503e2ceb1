"""Which ComfyUI a request is for, and which ones it may name at all.

Knows the settings. Must not know ComfyUI's protocol: whether one answers is told by `alive`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from yarl import URL

from .comfy.client import normalize_url
from .errors import BadRequest, ServerFailure
from .http.bodies import ServerBody
from .pool.pool import Pool
from .settings import Settings, is_loopback

ANY = ""  # whichever server of the pool has room when it comes to it


class Servers:
    """The allow-list and the choice. `alive` tells whether a ComfyUI answers at an address."""

    def __init__(
        self, settings: Settings, pool: Pool, alive: Callable[[str], Awaitable[bool]]
    ) -> None:
        self._mode = settings.mode
        self._rows = pool.rows
        self._allowed = settings.allowed_servers
        self._alive = alive
        self._pool = pool

    async def choose(self, requested: str | None) -> str | None:
        """Return the address of the one ComfyUI asked for, ANY, or None for the built-in engine.

        Raises BadRequest for an address that is not allowed, ServerFailure where a ComfyUI must be
        used and none was named or found. A named one is not asked whether it is there.
        """
        asked = self.checked(requested) if requested else None
        if self._mode == "demo":
            return None
        if asked is not None or self._named:
            return asked or ANY
        if await self._pool.ask_all():
            return ANY
        if self._mode == "comfyui":
            raise ServerFailure(
                "No ComfyUI answers: start it, or set COMFYUI_SERVER_URL.",
                code="comfyui_unreachable",
                details="PROMPTREEL_MODE=comfyui forbids the built-in engine.",
            )
        return None

    async def answers(self, url: str) -> bool:
        """Whether a ComfyUI answers there; with ANY, whether one of the pool does."""
        return await self._alive(url) if url else bool(await self._pool.ask_all())

    def describe(self) -> list[ServerBody]:
        """Return what GET /api/servers tells of the pool; in demo mode there is none."""
        return [] if self._mode == "demo" else self._pool.describe()

    async def situation(self) -> str:
        """Return a phrase for people: the mode, and which ComfyUI there is."""
        if self._mode == "demo":
            return "mode demo: the built-in engine makes the videos"
        found = await self._pool.ask_all()
        if len(self._rows) > 1:
            return f"mode {self._mode}: {len(found)} of {len(self._rows)} ComfyUIs answer"
        if found or self._named:
            where = f"{'found' if found else 'does not answer'} at {self._rows[0].url}"
            return f"mode {self._mode}: ComfyUI {where}"
        if self._mode == "comfyui":
            return "mode comfyui: no ComfyUI found"
        return "mode auto: no ComfyUI found, the built-in engine makes the videos"

    @property
    def _named(self) -> bool:
        """Whether the operator named a ComfyUI."""
        return any(row.named for row in self._rows)

    def checked(self, requested: str) -> str:
        """Return the normal form of a client's serverUrl. Raises BadRequest."""
        try:
            url = normalize_url(requested)
            allowed = self._is_allowed(URL(url))
        except ValueError as error:
            reason = "not the address of a ComfyUI"
            raise BadRequest(
                "serverUrl must be an address like http://127.0.0.1:8188.",
                details=str(error),
                fields={"serverUrl": reason},
            ) from None
        if not allowed:
            raise BadRequest(
                "This serverUrl is not allowed: the operator must list it in "
                "PROMPTREEL_ALLOWED_SERVERS.",
                code="server_not_allowed",
                details="Allowed are this machine, COMFYUI_SERVER_URL, and what "
                "PROMPTREEL_ALLOWED_SERVERS lists.",
                fields={"serverUrl": "not allowed"},
            )
        return url

    def _is_allowed(self, url: URL) -> bool:
        if is_loopback(url.host or ""):
            return True
        if any(row.named and url.origin() == URL(row.url).origin() for row in self._rows):
            return True
        return any(_matches(entry, url) for entry in self._allowed)


def _matches(entry: str, url: URL) -> bool:
    """Whether a listed address (http://host:port, host:port or host) means this one."""
    if "://" in entry:
        return URL(entry).origin() == url.origin()
    host = (url.host or "").lower()
    return entry.lower() in (host, f"{host}:{url.port}", f"[{host}]", f"[{host}]:{url.port}")
