"""Which ComfyUI a request is for, and which ones it may name at all.

Knows the settings. Must not know ComfyUI's protocol: whether one answers is told by `alive`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from yarl import URL

from .comfy.client import normalize_url
from .errors import BadRequest, ServerFailure
from .settings import Settings, is_loopback


class Servers:
    """The allow-list and the choice."""

    def __init__(self, settings: Settings, alive: Callable[[str], Awaitable[bool]]) -> None:
        self._mode = settings.mode
        self._named = settings.comfyui_url
        self._local = settings.local_comfyui_url
        self._allowed = settings.allowed_servers
        self._alive = alive

    async def choose(self, requested: str | None) -> str | None:
        """Return the address of the ComfyUI to use, or None for the built-in engine.

        Raises BadRequest for an address that is not allowed, ServerFailure where a ComfyUI must be
        used and none was named or found. A named one is not asked whether it is there.
        """
        named = self.checked(requested) if requested else None
        if self._mode == "demo":
            return None
        if named or self._named:
            return named or normalize_url(self._named)
        if self._local and await self._alive(normalize_url(self._local)):
            return normalize_url(self._local)
        if self._mode == "comfyui":
            raise ServerFailure(
                "No ComfyUI answers: start it, or set COMFYUI_SERVER_URL.",
                code="comfyui_unreachable",
                details="PROMPTREEL_MODE=comfyui forbids the built-in engine.",
            )
        return None

    async def answers(self, url: str) -> bool:
        """Whether a ComfyUI answers there."""
        return await self._alive(url)

    async def situation(self) -> str:
        """Return a phrase for people: the mode, and which ComfyUI there is."""
        if self._mode == "demo":
            return "mode demo: the built-in engine makes the videos"
        url = self._named or self._local
        found = bool(url) and await self._alive(normalize_url(url))
        if found or self._named:
            return f"mode {self._mode}: ComfyUI {'found' if found else 'does not answer'} at {url}"
        if self._mode == "comfyui":
            return "mode comfyui: no ComfyUI found"
        return "mode auto: no ComfyUI found, the built-in engine makes the videos"

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
        if self._named and url.origin() == URL(normalize_url(self._named)).origin():
            return True
        return any(_matches(entry, url) for entry in self._allowed)


def _matches(entry: str, url: URL) -> bool:
    """Whether a listed address (http://host:port, host:port or host) means this one."""
    if "://" in entry:
        return URL(entry).origin() == url.origin()
    host = (url.host or "").lower()
    return entry.lower() in (host, f"{host}:{url.port}", f"[{host}]", f"[{host}]:{url.port}")
