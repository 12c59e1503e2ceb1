"""How often each key may ask: token buckets, in memory. Must not know requests."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

_MINUTE_S = 60.0


@dataclass
class _Bucket:
    tokens: float
    at: float


class Rates:
    """One bucket a name: as many at once as fit into a minute, then as they trickle in."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._buckets: dict[str, _Bucket] = {}

    def spend(self, name: str, per_minute: int) -> float:
        """Take one token and return 0, or the seconds until there is one. `per_minute` 0: any."""
        if not per_minute:
            return 0.0
        now = self._clock()
        bucket = self._buckets.setdefault(name, _Bucket(per_minute, now))
        gained = (now - bucket.at) * per_minute / _MINUTE_S
        bucket.tokens, bucket.at = min(per_minute, bucket.tokens + gained), now
        if bucket.tokens < 1:
            return (1 - bucket.tokens) * _MINUTE_S / per_minute
        bucket.tokens -= 1
        return 0.0
