"""Fetch a picture from an address that a client named, without being used against this network.

Each name is resolved once, every address it has is checked, and the connection goes to a checked
address; redirects are followed by hand, each checked the same way; size, time and hops have limits.
Must not know jobs, routes or what is done with the bytes.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterable
from contextlib import asynccontextmanager
from urllib.parse import urljoin

import aiohttp
from aiohttp.abc import AbstractResolver
from yarl import URL

from .guard import Refused, checked_url, guarded_session
from .media import TooLarge

MAX_HOPS = 5
_REDIRECTS = (301, 302, 303, 307, 308)
_HEADERS = {"Accept": "image/*", "Accept-Encoding": "identity", "User-Agent": "PromptReel"}


class FetchError(Exception):
    """The address can't or may not be fetched; the message is one sentence for the client."""


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
            except Refused:
                raise FetchError(_PRIVATE) from None
            except aiohttp.ClientConnectorError as error:
                refused = isinstance(error.os_error, Refused)
                raise FetchError(_PRIVATE if refused else _SILENT) from None
            except asyncio.TimeoutError:
                raise FetchError(_SLOW) from None
            except (aiohttp.ClientError, UnicodeError):
                raise FetchError(_SILENT) from None

    def _session(self) -> aiohttp.ClientSession:
        """Make a session for one fetch: no cookies, proxies or connections are kept or shared."""
        return guarded_session(self._seconds, self._allowed, _HEADERS, self._resolver)

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
            return checked_url(address, self._allowed)
        except ValueError:
            raise FetchError(_NOT_URL) from None


_PRIVATE = "The picture's address belongs to a private network: upload the picture instead."
_SILENT = "The picture's server can't be reached: check imageUrl, or upload the picture."
_SLOW = "The picture's server takes too long: upload the picture instead."
_NOT_URL = (
    "imageUrl must be an address that /api/upload gave, a public http(s) address of a picture, "
    "or a data: URI."
)


def _check_status(response: aiohttp.ClientResponse) -> None:
    if response.status != 200:
        raise FetchError(
            f"The picture's server answered with status {response.status}: check imageUrl."
        )
