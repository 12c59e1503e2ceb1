"""Whether an address may be told that a job is over: checked when it is named, and at each call.

Must not know jobs or how a message is sent.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from aiohttp.abc import AbstractResolver
from aiohttp.resolver import ThreadedResolver
from yarl import URL

from sidecar.errors import BadRequest
from sidecar.guard import GuardedResolver, Refused, checked_url
from sidecar.values import Webhook

FIELD = "webhookUrl"
LONGEST = 2000  # characters
_LOOK_S = 5.0  # for a name to be resolved; a slow one is looked up again when it is called


class WebhookAddresses:
    """Checks `webhookUrl`. `allowed`: host names that may have a private address."""

    def __init__(
        self,
        *,
        enabled: bool,
        allowed: Iterable[str] = (),
        resolver: AbstractResolver | None = None,
    ) -> None:
        self._enabled = enabled
        self._allowed = frozenset(host.lower() for host in allowed)
        self._resolver = resolver

    async def webhook(self, address: str, base: str) -> Webhook:
        """Return the checked address. Raises BadRequest."""
        if not self._enabled:
            raise _bad(
                "webhookUrl can't be used here: the operator must set PROMPTREEL_WEBHOOK_SECRET.",
                "webhooks_off",
            )
        if len(address) > LONGEST:
            raise _invalid()
        try:
            url = self._url(address)
            await self._resolved(url)
        except Refused:
            raise _bad(
                "webhookUrl belongs to a private network: the operator must list its host in "
                "PROMPTREEL_ALLOWED_WEBHOOK_HOSTS.",
                "webhook_not_allowed",
            ) from None
        except OSError:
            raise _bad(
                "webhookUrl names a host that can't be found: check its name.", "webhook_not_found"
            ) from None
        return Webhook(str(url), url.host or "", base)

    def _url(self, address: str) -> URL:
        try:
            return checked_url(address, self._allowed)
        except ValueError:
            raise _invalid() from None

    async def _resolved(self, url: URL) -> None:
        """Raise OSError if the name is unknown, Refused if it leads into a private network."""
        resolver = GuardedResolver(self._resolver or ThreadedResolver(), self._allowed)
        try:
            await asyncio.wait_for(resolver.resolve(url.host or "", url.port or 0), _LOOK_S)
        except asyncio.TimeoutError:
            return
        except UnicodeError:
            raise OSError from None
        finally:
            await resolver.close()


def _invalid() -> BadRequest:
    return _bad(
        "webhookUrl must be an http(s) address without a user name, of at most "
        f"{LONGEST} characters.",
        "invalid_webhook",
    )


def _bad(sentence: str, code: str) -> BadRequest:
    return BadRequest(sentence, code=code, fields={FIELD: sentence})
