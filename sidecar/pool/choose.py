"""Who gets a job: a pure function of what is known of the servers. No clock, no I/O."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Wish:
    """What a job asks for. `pinned`: the only server it may run on. `begun`: the one that may have
    its prompt already.
    """

    pipeline: str
    pinned: str = ""
    begun: str = ""


@dataclass(frozen=True)
class Standing:
    """How a server is. `alive`: it answers. `lost`: it has not for longer than the grace time.

    `ours`: our jobs there, of at most `most`. `depth`: prompts in its queue, ours and others'.
    `runs`: the pipelines it can run; None if not known yet. `last`: the pipeline it got last, whose
    models are most likely loaded.
    """

    url: str
    most: int
    ours: int = 0
    depth: int = 0
    alive: bool = False
    lost: bool = False
    stuck: bool = False
    runs: Collection[str] | None = None
    last: str = ""

    @property
    def usable(self) -> bool:
        """Whether it may be given a job that is not bound to it."""
        return self.alive and not self.stuck

    def can_run(self, pipeline: str) -> bool:
        """Whether it is known to have all that the pipeline needs."""
        return self.runs is not None and pipeline in self.runs


def choose(wish: Wish, servers: Sequence[Standing]) -> str | None:
    """Return the address of the server for the job; None: it must wait.

    What a server may have begun is followed there, full or not, unless the server is lost, or is
    stuck and there is another. Else it is the least loaded that can run the pipeline. If all answer
    and none can, one gets the job all the same: what it refuses is the true reason for the failure.
    """
    by_url = {server.url: server for server in servers}
    if wish.pinned:
        pinned = by_url[wish.pinned]
        return pinned.url if _has_room(pinned) or wish.begun == pinned.url else None
    begun = by_url.get(wish.begun)
    able = [one for one in servers if one.usable and one.can_run(wish.pipeline)]
    if begun is not None and not begun.lost and not (begun.stuck and able):
        return begun.url
    if not able and all(one.usable and one.runs is not None for one in servers):
        able = list(servers)
    free = [one for one in able if _has_room(one)]
    return min(free, key=lambda one: _load(one, wish.pipeline)).url if free else None


def could_run(wish: Wish, servers: Sequence[Standing], but: str) -> bool:
    """Whether a server other than `but` could run it, now or when it has room."""
    return not wish.pinned and any(
        one.usable and one.can_run(wish.pipeline) and one.url != but for one in servers
    )


def _has_room(server: Standing) -> bool:
    return server.ours < server.most


def _load(server: Standing, pipeline: str) -> tuple[float, bool]:
    return max(server.ours, server.depth) / server.most, server.last != pipeline
