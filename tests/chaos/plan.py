"""What happens when: jobs, faults and bad connections, all from one seed, as plain values.

Pure: the same seed gives the same plan. Must not know processes or HTTP.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum

from tests.chaos.proxy import Malice


class Fault(Enum):
    """What is done to the system while it works."""

    KILL_SIDECAR = "kill -9 of the sidecar"
    KILL_FETCHING = "kill -9 of the sidecar just when a video has come in"
    KILL_COMFYUI = "kill -9 of a ComfyUI"
    KILL_BOTH = "kill -9 of the sidecar and a ComfyUI"
    STOP_SIDECAR = "SIGTERM of the sidecar, then a new start"
    CUT_ALL = "all connections to a ComfyUI cut at once"
    STALL = "a ComfyUI whose connections pass nothing on"
    REFUSE = "a ComfyUI that refuses connections"
    FULL_DISK = "no file of the sidecar may grow"
    CLEAR_HISTORY = "somebody clears ComfyUI's history"
    DELETE_QUEUED = "somebody deletes what waits in ComfyUI"
    INTERRUPT = "somebody interrupts what runs in ComfyUI"
    EMPTY_OUTPUT = "somebody empties ComfyUI's output folder"
    EMPTY_INPUT = "somebody empties ComfyUI's input folder"


class Manner(Enum):
    """How a client asks and learns of the end."""

    POLL = "respond-async, then GET"
    WAIT = "Prefer: wait=1, then GET"
    SYNC = "waits for the answer"
    EVENTS = "respond-async, then SSE with resume"


@dataclass(frozen=True)
class Wish:
    """One job to ask for: at which second, how, and by how many clients at once."""

    at: float
    name: str
    manner: Manner
    steps: int
    picture: int
    clients: int = 1
    cancel_after: float | None = None
    pipeline: str = "ledger"
    text: str = ""  # another job's name: the very same video is asked for once more

    @property
    def said(self) -> str:
        """The text of the request, by which ComfyUI's runs of it are known."""
        return self.text or self.name


@dataclass(frozen=True)
class Blow:
    """One fault: at which second, for how long, on which server, at which byte limit."""

    at: float
    fault: Fault
    seconds: float
    server: int
    most: int


@dataclass(frozen=True)
class Plan:
    """All of a run."""

    seed: int
    seconds: float
    wishes: tuple[Wish, ...]
    blows: tuple[Blow, ...]
    malice: Malice

    def __str__(self) -> str:
        rows = [f"seed {self.seed}: {len(self.wishes)} jobs in {self.seconds:.0f} s"]
        rows += [
            f"{blow.at:7.2f} s  {blow.fault.value} (server {blow.server}, {blow.seconds:.2f} s,"
            f" {blow.most} bytes)"
            for blow in self.blows
        ]
        return "\n".join(rows)


# How often each happens in 100 seconds.
RATES = {
    Fault.KILL_SIDECAR: 6,
    Fault.KILL_FETCHING: 3,
    Fault.KILL_COMFYUI: 2,
    Fault.KILL_BOTH: 1,
    Fault.STOP_SIDECAR: 2,
    Fault.CUT_ALL: 6,
    Fault.STALL: 3,
    Fault.REFUSE: 2,
    Fault.FULL_DISK: 4,
    Fault.CLEAR_HISTORY: 3,
    Fault.DELETE_QUEUED: 3,
    Fault.INTERRUPT: 2,
    Fault.EMPTY_OUTPUT: 1,
    Fault.EMPTY_INPUT: 2,
}


def draw(
    seed: int,
    jobs: int,
    seconds: float,
    servers: int,
    faults: Sequence[Fault] = (),
    cut_bytes: int = 15_000,
) -> Plan:
    """Draw a plan: the faults given, or every one at least once, more often the longer the run."""
    rng = random.Random(seed)
    blows = [_blow(rng, fault, seconds, servers) for fault in faults or _faults(seconds)]
    wishes = [_wish(rng, number, seconds) for number in range(jobs)]
    wishes = [_echo(rng, wish, wishes) for wish in wishes]
    return Plan(
        seed,
        seconds,
        tuple(sorted(wishes, key=lambda wish: wish.at)),
        tuple(sorted(blows, key=lambda blow: blow.at)),
        Malice(cut=0.5, cut_bytes=cut_bytes, slow=0.03, slow_s=0.3),
    )


def _echo(rng: random.Random, wish: Wish, wishes: Sequence[Wish]) -> Wish:
    """Return, now and then, the same as another wish: ComfyUI has it in its cache."""
    other = rng.choice(wishes)
    if rng.random() > 0.08 or other.pipeline != "ledger":
        return wish
    return replace(
        wish, text=other.name, steps=other.steps, picture=other.picture, pipeline="ledger"
    )


def _faults(seconds: float) -> list[Fault]:
    return [
        fault for fault, rate in RATES.items() for _ in range(max(1, round(rate * seconds / 100)))
    ]


def _blow(rng: random.Random, fault: Fault, seconds: float, servers: int) -> Blow:
    return Blow(
        at=rng.uniform(2, seconds),
        fault=fault,
        seconds=rng.uniform(0.3, 3),
        server=rng.randrange(servers),
        most=rng.choice((0, 1000, 100_000)),
    )


def _wish(rng: random.Random, number: int, seconds: float) -> Wish:
    manners = (Manner.POLL, Manner.POLL, Manner.EVENTS, Manner.WAIT, Manner.SYNC)
    return Wish(
        at=rng.uniform(0, seconds),
        name=f"job-{number:04d}",
        manner=rng.choice(manners),
        steps=rng.choice((0, 2, 2, 5, 10, 20, 100)),
        picture=rng.randrange(8),
        clients=rng.choice((1, 1, 1, 1, 2, 3)),
        cancel_after=rng.uniform(0, 2) if rng.random() < 0.06 else None,
        pipeline="camera-motion" if rng.random() < 0.04 else "ledger",
    )
