"""Fetch a picture from an address that a client named, without being used against this network.

Each name is resolved once, every address it has is checked, and the connection goes to a checked
address; redirects are followed by hand, each checked the same way; size, time and hops have limits.
Must not know jobs, routes or what is done with the bytes.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncGenerator, AsyncIterator, Iterable
from contextlib import asynccontextmanager
from urllib.parse import urljoin

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver
from yarl import URL

from .addresses import is_public
from .media import TooLarge

MAX_HOPS = 5
_REDIRECTS = (301, 302, 303, 307, 308)
_HEADERS = {"Accept": "image/*", "Accept-Encoding": "identity", "User-Agent": "PromptReel"}


class FetchError(Exception):
    """The address can't or may not be fetched; the message is one sentence for the client."""


class _Refused(OSError):
    """A name has an address that is not public."""


class GuardedResolver(AbstractResolver):
    """Resolves names by `inner`, and refuses those with any address that is not public."""

    def __init__(self, inner: AbstractResolver, allowed: frozenset[str]) -> None:
        self._inner = inner
        self._allowed = allowed

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Return the host's addresses. Raises _Refused."""
        found = await self._inner.resolve(host, port, family)
        if host.lower() not in self._allowed:
            _check(result["host"] for result in found)
        return found

    async def close(self) -> None:
        """Release what the inner resolver holds."""
        await self._inner.close()


class Fetcher:
    """Fetches with limits. `allowed`: host names that may have a private address."""

    def __init__(
        self,
        *,
        seconds: float,
        allowed: Iterable[str] = (),
        resolver: AbstractResolver | None = None,
    ) -> None:
        self._allowed = frozenset(host.lower() for host in allowed)
        self._seconds = seconds
        self._resolver = resolver

    @asynccontextmanager
    async def fetch(
        self, address: str, max_bytes: int
    ) -> AsyncGenerator[AsyncIterator[bytes], None]:
        """Give the body of the picture at `address`, chunk by chunk. Raises FetchError.

        Raises TooLarge where the length is announced; who reads the chunks must count them too.
        """
        async with self._session() as session:
            try:
                async with self._follow(session, address) as response:
                    if (response.content_length or 0) > max_bytes:
                        raise TooLarge(address)
                    yield response.content.iter_chunked(64 * 1024)
            except _Refused:
                raise FetchError(_PRIVATE) from None
            except aiohttp.ClientConnectorError as error:
                refused = isinstance(error.os_error, _Refused)
                raise FetchError(_PRIVATE if refused else _SILENT) from None
            except asyncio.TimeoutError:
                raise FetchError(_SLOW) from None
            except (aiohttp.ClientError, UnicodeError):
                raise FetchError(_SILENT) from None

    def _session(self) -> aiohttp.ClientSession:
        """Make a session for one fetch: no cookies, proxies or connections are kept or shared."""
        resolver = GuardedResolver(self._resolver or ThreadedResolver(), self._allowed)
        return aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                resolver=resolver, use_dns_cache=False, force_close=True, limit=1
            ),
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=self._seconds),
            headers=_HEADERS,
            auto_decompress=False,
            trust_env=False,
        )

    @asynccontextmanager
    async def _follow(
        self, session: aiohttp.ClientSession, address: str
    ) -> AsyncGenerator[aiohttp.ClientResponse, None]:
        url = self._checked(address)
        for _ in range(MAX_HOPS):
            async with session.get(url, allow_redirects=False) as response:
                if response.status not in _REDIRECTS:
                    _check_status(response)
                    yield response
                    return
                url = self._checked(urljoin(str(url), response.headers.get("Location", "")))
        raise FetchError("The picture's address redirects too often: give its final address.")

    def _checked(self, address: str) -> URL:
        """Return the URL; a literal address is checked here, for it is never resolved."""
        try:
            url = URL(address)
            host, port = url.host, url.port
        except ValueError:
            raise FetchError(_NOT_URL) from None
        if url.scheme not in ("http", "https") or not host or not port or url.user or url.password:
            raise FetchError(_NOT_URL)
        if _is_literal(host) and host.lower() not in self._allowed:
            _check([host])
        return url


_PRIVATE = "The picture's address belongs to a private network: upload the picture instead."
_SILENT = "The picture's server can't be reached: check imageUrl, or upload the picture."
_SLOW = "The picture's server takes too long: upload the picture instead."
_NOT_URL = (
    "imageUrl must be an address that /api/upload gave, a public http(s) address of a picture, "
    "or a data: URI."
)


def _check(hosts: Iterable[str]) -> None:
    if not all(is_public(host) for host in hosts):
        raise _Refused


def _is_literal(host: str) -> bool:
    """Whether aiohttp would connect to `host` without resolving it."""
    return ":" in host or host.replace(".", "").isdigit()


def _check_status(response: aiohttp.ClientResponse) -> None:
    if response.status != 200:
        raise FetchError(
            f"The picture's server answered with status {response.status}: check imageUrl."
        )
