"""One server of the pool: how it is, as of the last look. Knows values only, and no I/O."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from sidecar.http.bodies import ServerBody, ServerStatus

from .choose import Standing
from .rows import ServerRow


@dataclass
class Member:
    """`alive` is None before the first look. Times are on the pool's clock."""

    row: ServerRow
    since: float  # when `alive` last changed
    alive: bool | None = None
    depth: int = 0
    version: str = ""
    runs: frozenset[str] | None = None
    last: str = ""
    ours: set[str] = field(default_factory=set[str])  # jobs
    stuck: str = ""  # the prompt that it does not stop
    left: set[str] = field(default_factory=set[str])  # prompts to be stopped there
    leaving: asyncio.Event = field(default_factory=asyncio.Event)
    used_at: float = 0.0
    lost: bool = False  # a job waited the grace time for it
    look_now: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def url(self) -> str:
        """Its address."""
        return self.row.url

    def seen(self, *, alive: bool, now: float) -> bool:
        """Take note of a look; return whether that is news."""
        self.lost = self.lost and not alive
        if self.alive is alive:
            return False
        self.alive, self.since = alive, now
        return True

    def is_lost(self, now: float) -> None:
        """Take note that a job waited in vain for it; it is looked at again at once."""
        self.seen(alive=False, now=now)
        self.lost = True
        self.look_now.set()

    def is_stuck(self, prompt_id: str) -> None:
        """Take note that it does not stop a prompt; what waits behind that is told to go."""
        self.stuck = prompt_id
        self.leaving.set()

    def is_well(self) -> None:
        """Take note that it works again."""
        if self.stuck:
            self.stuck = ""
            self.leaving = asyncio.Event()

    def names(self) -> set[str]:
        """Return the names of the pipelines that it can run."""
        return {key.partition("@")[0] for key in self.runs or ()}

    def standing(self, now: float, away_s: float) -> Standing:
        """Return what the choice needs to know."""
        return Standing(
            self.url,
            self.row.most,
            len(self.ours),
            self.depth,
            alive=bool(self.alive),
            lost=self.lost or (not self.alive and now - self.since > away_s),
            stuck=bool(self.stuck),
            runs=self.runs,
            last=self.last,
        )

    def described(self, now: float) -> ServerBody:
        """Return what GET /api/servers tells of it."""
        seen: dict[bool | None, ServerStatus] = {None: "unknown", True: "ok", False: "away"}
        return {
            "url": self.url,
            "name": self.row.name,
            "status": "stuck" if self.stuck and self.alive else seen[self.alive],
            "statusSeconds": round(now - self.since, 1),
            "version": self.version or None,
            "queueDepth": self.depth if self.alive else None,
            "inFlight": len(self.ours),
            "maxInFlight": self.row.most,
            "pipelines": None if self.runs is None else sorted(self.names()),
        }
