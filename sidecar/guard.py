"""Connections on a client's behalf: only to addresses that were checked, never into this network.

Each name is resolved once for a connection, every address it has is checked, and the connection
goes to a checked one. Must not know what is fetched or sent.
"""

from __future__ import annotations

import socket
from collections.abc import Collection, Iterable, Mapping

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver
from yarl import URL

from .addresses import is_public


class Refused(OSError):
    """A name has an address that is not public."""


class GuardedResolver(AbstractResolver):
    """Resolves names by `inner`, and refuses those with any address that is not public."""

    def __init__(self, inner: AbstractResolver, allowed: Collection[str]) -> None:
        self._inner = inner
        self._allowed = allowed

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Return the host's addresses. Raises Refused."""
        found = await self._inner.resolve(host, port, family)
        if host.lower() not in self._allowed:
            _check(result["host"] for result in found)
        return found

    async def close(self) -> None:
        """Release what the inner resolver holds."""
        await self._inner.close()


def guarded_session(
    seconds: float,
    allowed: Collection[str],
    headers: Mapping[str, str],
    resolver: AbstractResolver | None = None,
) -> aiohttp.ClientSession:
    """Make a session for one call: no cookies, proxies or connections are kept or shared.

    `allowed`: host names, in small letters, that may have a private address.
    """
    guarded = GuardedResolver(resolver or ThreadedResolver(), allowed)
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(
            resolver=guarded, use_dns_cache=False, force_close=True, limit=1
        ),
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=seconds),
        headers=headers,
        auto_decompress=False,
        trust_env=False,
    )


def checked_url(address: str, allowed: Collection[str]) -> URL:
    """Return the URL; a literal address is checked here, for it is never resolved.

    Raises ValueError for what is no http(s) address, Refused for one that is not public.
    """
    if not address.isprintable():  # a parser that drops line breaks reads another address
        raise ValueError(address)
    url = URL(address)
    host, port = url.host, url.port
    if url.scheme not in ("http", "https") or not host or not port or url.user or url.password:
        raise ValueError(address)
    if _is_literal(host) and host.lower() not in allowed:
        _check([host])
    return url


def _check(hosts: Iterable[str]) -> None:
    if not all(is_public(host) for host in hosts):
        raise Refused


def _is_literal(host: str) -> bool:
    """Whether aiohttp would connect to `host` without resolving it."""
    return ":" in host or host.replace(".", "").isdigit()
