"""Who may come in: the keys as they stand, looked up anew twice a second at most.

A key that was revoked or added counts within that time, without a restart. Once there was a key,
one is asked for: a service whose last key was revoked lets nobody in, until its file of keys is
deleted and it starts again. Must not know routes.
"""

from __future__ import annotations

import asyncio
import hmac
import logging
import math
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from sidecar.errors import TooManyRequests, Unauthorized, Unavailable

from .book import BookError, KeyBook, Row, digest
from .callers import ANYBODY, MASTER, Caller
from .names import Names
from .rates import Rates

log = logging.getLogger(__name__)

FRESH_S = 0.5  # for how long what was read of the keys counts


class Access:
    """The keys of one service. `master`: what PROMPTREEL_API_KEY holds."""

    def __init__(
        self, folder: Path, master: str, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._book = KeyBook(folder)
        self._master = master
        self._clock = clock
        self._rates = Rates(clock)
        self._rows: Mapping[str, Row] = {}
        self._looked = -math.inf
        self._looking = asyncio.Lock()
        self._secret = ""
        self.locked = bool(master)

    async def look(self) -> None:
        """See to it that what is known of the keys is fresh. Raises Unavailable."""
        async with self._looking:
            if self._clock() - self._looked < FRESH_S:
                return
            now = self._clock()
            try:
                await asyncio.to_thread(self._read)
            except BookError as error:  # a key that was revoked meanwhile must not be let in
                log.error("%s", error)  # noqa: TRY400  the sentence says it all
                raise Unavailable(
                    "The service can't read its keys: try again later.",
                    code="keys_unreadable",
                    details="The service's log says more.",
                ) from error
            self._looked = now

    async def caller(self, authorization: str) -> Caller:
        """Return who has the key of this header; ANYBODY where none is asked for.

        Raises Unauthorized, Unavailable.
        """
        await self.look()
        if not self.locked:
            return ANYBODY
        scheme, _, given = authorization.partition(" ")
        found = self._holder(given.strip()) if scheme.lower() == "bearer" else None
        if found is None:
            raise Unauthorized(
                "Send the API key as 'Authorization: Bearer KEY'.",
                details="No key came, or one that is not valid here, or not any more.",
                headers={"WWW-Authenticate": "Bearer"},
            )
        return found

    def admit(self, caller: Caller) -> None:
        """Count a request. Raises TooManyRequests."""
        per_minute = caller.allowance.requests_per_minute
        wait = self._rates.spend(caller.name, per_minute)
        if wait:
            seconds = math.ceil(wait)
            raise TooManyRequests(
                f"Too many requests with this key: try again in {seconds} s.",
                code="rate_limited",
                details=f"The operator allows this key {per_minute} requests a minute.",
                headers={"Retry-After": str(seconds)},
            )

    def names(self, caller: Caller) -> Names | None:
        """Return how the caller's pictures are named; None where all is everybody's."""
        return Names(self._secret, caller.tenant) if self.locked else None

    def _holder(self, key: str) -> Caller | None:
        """Return whose key it is; digests are compared, and in constant time."""
        asked = digest(key)
        if self._master and hmac.compare_digest(asked, digest(self._master)):
            return MASTER
        row = self._rows.get(asked)
        if row is None or not hmac.compare_digest(row.digest, asked):
            return None
        return Caller(row.name, row.name, row.allowance)

    def _read(self) -> None:
        rows = self._book.rows()
        self.locked = self.locked or bool(rows)
        if self.locked and not self._secret:
            self._secret = self._book.secret()
        self._rows = {row.digest: row for row in rows if row.revoked_at is None}
