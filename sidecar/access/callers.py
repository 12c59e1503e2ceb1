"""Who asks: the value that the rest of the service sees of a key, and where it lies in a request.

Knows names and allowances. Must not know keys themselves, or how they are kept.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from aiohttp import web

DEFAULT = "default"  # the name of the key that PROMPTREEL_API_KEY holds
# Routes that anybody may read; the names of files can't be guessed.
OPEN = (
    "/",
    "/api/health",
    "/api/ready",
    "/api/files/{name}",
    "/api/openapi.json",
    "/docs",
    "/docs/{asset}",
    "/studio/{asset}",
)


@dataclass(frozen=True)
class Allowance:
    """What one key may take at most; 0: no limit but those of the service."""

    max_queued: int = 0  # jobs that wait at once
    max_storage_mb: int = 0  # pictures and videos kept, in megabytes of 2**20 bytes
    requests_per_minute: int = 0

    @property
    def max_storage_bytes(self) -> int:
        """The storage in bytes."""
        return self.max_storage_mb << 20


@dataclass(frozen=True)
class Caller:
    """One who asks. `tenant` stands in what is theirs: jobs, pictures.

    It is blank where there are no keys and for the key `default`, so that a service that gets its
    first key still shows its jobs to whoever holds that one.
    """

    name: str
    tenant: str
    allowance: Allowance = field(default_factory=Allowance)


CALLER = web.RequestKey("caller", Caller)  # where the `authorized` middleware puts it
ANYBODY = Caller("anybody", "")  # where there are no keys
UNKNOWN = Caller("unknown", "?")  # at what is open to all; "?" is no name, so nothing is theirs
MASTER = Caller(DEFAULT, "")


def caller_of(request: web.Request) -> Caller:
    """Return who asks."""
    return request[CALLER]
