"""How much of the disk is a key's: the pictures it sent, and what its finished jobs made.

Counted when something more is to be stored; what is under way then may go beyond. Knows media and
results as protocols. Must not know requests.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Protocol

from sidecar.errors import Forbidden
from sidecar.media import Stored

from .callers import Caller
from .names import Names


class Files(Protocol):
    """What is asked of the store of media."""

    async def listing(self) -> list[Stored]:
        """Return every file."""
        ...


class Results(Protocol):
    """What is asked of the store of jobs."""

    async def results_of(self, tenant: str) -> Collection[str]:
        """Return the media keys of what the tenant's jobs made."""
        ...


async def check_storage(
    caller: Caller, names: Names | None, files: Files, results: Results
) -> None:
    """Refuse who has stored as much as they may. Raises Forbidden."""
    most = caller.allowance.max_storage_bytes
    if not most or names is None:
        return
    used = await _used(caller, names, files, results)
    if used >= most:
        raise Forbidden(
            "This key's storage is full: ask the operator to allow more or to delete something.",
            code="storage_full",
            details=f"{used / (1 << 20):.1f} of {caller.allowance.max_storage_mb} MB are taken.",
        )


async def _used(caller: Caller, names: Names, files: Files, results: Results) -> int:
    made = await results.results_of(caller.tenant)
    prefix = names.prefix
    return sum(
        one.size for one in await files.listing() if one.key.startswith(prefix) or one.key in made
    )
