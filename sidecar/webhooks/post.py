"""One call of an address that a client named: guarded, short, and redirects are not followed.

Must not know jobs, signatures or when to try again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import aiohttp
from aiohttp.abc import AbstractResolver

from sidecar.guard import Refused, checked_url, guarded_session

_HEADERS = {"Content-Type": "application/json", "User-Agent": "PromptReel-Webhooks"}
_INSIDE = "the address is not public"


class NotPosted(Exception):
    """Nothing was answered; the message says why, for the log."""


@dataclass(frozen=True)
class Reply:
    """What the address answered; its body is not read."""

    status: int
    retry_after: float = 0.0  # seconds


class Poster:
    """Posts. `allowed`: host names that may have a private address."""

    def __init__(
        self,
        *,
        seconds: float = 15.0,
        allowed: Iterable[str] = (),
        resolver: AbstractResolver | None = None,
    ) -> None:
        self._seconds = seconds
        self._allowed = frozenset(host.lower() for host in allowed)
        self._resolver = resolver

    async def post(self, address: str, body: str, headers: Mapping[str, str]) -> Reply:
        """Post the body. Raises NotPosted."""
        try:
            url = checked_url(address, self._allowed)
            async with (
                guarded_session(self._seconds, self._allowed, _HEADERS, self._resolver) as session,
                session.post(
                    url, data=body.encode(), headers=headers, allow_redirects=False
                ) as response,
            ):
                return Reply(response.status, _seconds(response.headers.get("Retry-After", "")))
        except asyncio.TimeoutError:
            raise NotPosted(f"no answer in {self._seconds:g} s") from None
        except Refused:
            raise NotPosted(_INSIDE) from None
        except (aiohttp.ClientError, OSError, ValueError) as error:
            refused = isinstance(getattr(error, "os_error", None), Refused)
            raise NotPosted(_INSIDE if refused else type(error).__name__) from None


def _seconds(text: str) -> float:
    return float(text) if text.isascii() and text.isdigit() and len(text) < 8 else 0.0
