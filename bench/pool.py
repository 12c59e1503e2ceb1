"""How the pool schedules 10,000 jobs over 100 servers that fail, in virtual time.

    python -m bench.pool [jobs] [servers] [seed]

The dispatcher, the pool's choice and the queue's order are the real ones; only the servers are
played, and the clock jumps. Ends with status 1 if a job starved or was lost.
"""

from __future__ import annotations

import asyncio
import logging
import random
import statistics
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import cast

import aiosqlite

from bench.played import PIPELINES, RARE, Arrival, NoMedia, Played, Server, fleet, live
from bench.rounds import Check, table
from bench.virtual import Database, run
from sidecar.backends.catalog import ServerCatalog
from sidecar.bus import LocalBus
from sidecar.dispatcher import Dispatcher, Lane, Pace
from sidecar.jobs import JobSpec
from sidecar.pool.pool import Pool
from sidecar.pool.rows import ServerRow
from sidecar.schema import migrate
from sidecar.store import SqliteJobStore
from sidecar.values import GenerateRequest

LANE = "comfyui"
MEAN_S = 30.0  # of a render
SPREAD_S = 3300.0  # in which 10,000 jobs for 100 servers come
GAP_S = 180.0  # the longest that somebody who waits may get nothing at all
SHORT_S = 900.0  # the longest wait of who asks for little
QUICK_TENANTS = 8


def arrivals(count: int, servers: int, rng: random.Random) -> list[Arrival]:
    """One tenant sends all it has at once, one in three bursts, eight now and then."""
    spread = SPREAD_S * count / 10_000 * 100 / servers
    found: list[Arrival] = []
    for number in range(count):
        part = number / count
        if part < 0.3:
            tenant, at = "all at once", 0.0
        elif part < 0.6:
            tenant, at = "in bursts", spread * rng.choice((0.1, 0.4, 0.7))
        else:
            tenant, at = f"now and then {rng.randrange(QUICK_TENANTS)}", rng.uniform(0, spread)
        pipeline = RARE if rng.random() < 0.04 else rng.choice(PIPELINES[:-1])
        seconds = rng.lognormvariate(0, 0.6) * MEAN_S / 1.197  # the mean of that distribution
        found.append(Arrival(at, tenant, pipeline, seconds))
    return sorted(found, key=lambda one: one.at)


@dataclass(frozen=True)
class Outcome:
    """What came of it: each job's wait, in what state they all are, and the servers' time."""

    waits: dict[str, float]
    jobs: dict[str, Arrival]
    states: dict[str, int]
    took_s: float
    servers: Sequence[Server]
    moved: int
    real_s: float

    def of(self, tenant: str) -> list[float]:
        """Return the waits of the tenants whose name begins so."""
        return [w for name, w in self.waits.items() if self.jobs[name].tenant.startswith(tenant)]

    def rare(self) -> list[float]:
        """Return the waits for the pipeline that few servers can run."""
        return [w for name, w in self.waits.items() if self.jobs[name].pipeline == RARE]

    def gap(self, by: str) -> float:
        """Return the longest time in which a tenant (or pipeline) waited and none of its began."""
        groups: dict[str, list[tuple[float, int]]] = {}
        for name, job in self.jobs.items():
            events = groups.setdefault(getattr(job, by), [])
            events += [(job.at, 1), (job.at + self.waits[name], -1)]
        return max(_longest_gap(sorted(events)) for events in groups.values())

    def utilisation(self) -> float:
        """Return the part of the servers' good time that went into results."""
        return sum(one.busy_s for one in self.servers) / sum(one.up_s for one in self.servers)


def _longest_gap(events: Sequence[tuple[float, int]]) -> float:
    """Walk through comings (1) and beginnings (-1); a gap ends with each beginning."""
    waiting, since, longest = 0, 0.0, 0.0
    for at, change in events:
        if change < 0:
            longest = max(longest, at - since)
        if change < 0 or not waiting:
            since = at
        waiting += change
    return longest


async def simulate(count: int, servers: int, seed: int) -> Outcome:
    """Let the jobs come and run; return when the last one is over."""
    rng, loop, real = random.Random(seed), asyncio.get_running_loop(), time.perf_counter()
    made = fleet(servers, rng)
    played = Played(made)
    db = cast("aiosqlite.Connection", Database())
    await migrate(db)
    store = SqliteJobStore(db, LocalBus(), loop.time)
    rows = [ServerRow(server.url, server.url, 2) for server in made]
    pool = Pool(rows, cast("ServerCatalog", played), clock=loop.time)
    played.home = pool
    pace = Pace(lease_s=900, tick_s=300, wait_s=5, blocked_s=2, sweep_s=300)
    dispatcher = Dispatcher(store, NoMedia(), "main", pace)
    lives = [asyncio.create_task(live(server, random.Random(rng.random()))) for server in made]
    jobs: dict[str, Arrival] = {}
    async with pool.watching(), dispatcher.serving([Lane(LANE, played, pool)]):
        for arrival in arrivals(count, servers, rng):
            await asyncio.sleep(arrival.at - loop.time())
            jobs[await _submit(store, played, arrival, len(jobs))] = arrival
        while _unfinished(await _states(store)):  # noqa: ASYNC110  seconds are virtual
            await asyncio.sleep(5)
        took = loop.time()
    for task in lives:
        task.cancel()
    await asyncio.gather(*lives, return_exceptions=True)
    states = await _states(store)
    real_s = time.perf_counter() - real
    return Outcome(played.waits, jobs, states, took, made, played.moved, real_s)


async def _submit(store: SqliteJobStore, played: Played, arrival: Arrival, number: int) -> str:
    request = GenerateRequest("a.png", "x", arrival.pipeline, "", {})
    spec = JobSpec(
        id=f"{number:032x}",
        payload=asdict(request),
        tenant=arrival.tenant,
        lane=LANE,
        route=request.route,
    )
    played.wanted[spec.id] = arrival
    await store.submit(spec)
    return spec.id


async def _states(store: SqliteJobStore) -> dict[str, int]:
    counts = (await store.stats())[LANE].counts
    return {state.value: number for state, number in counts.items() if number}


def _unfinished(states: dict[str, int]) -> int:
    return states.get("queued", 0) + states.get("running", 0)


def report(outcome: Outcome) -> list[Check]:
    """Return the figures, and what is demanded of some."""
    done, jobs = outcome.states.get("succeeded", 0), len(outcome.jobs)
    wasted = sum(one.wasted_s for one in outcome.servers)
    checks = [
        Check("jobs that did not succeed", jobs - done, "", most=0),
        Check("longest wait of all", max(outcome.waits.values()), "s"),
        Check("a tenant waited and got nothing for", outcome.gap("tenant"), "s", most=GAP_S),
        Check("a pipeline waited and got nothing for", outcome.gap("pipeline"), "s", most=GAP_S),
        Check("virtual time", outcome.took_s, "s"),
        Check("utilisation of servers that were up", outcome.utilisation() * 100, "%", least=75),
        Check("lost by failures in the middle", wasted / outcome.took_s, "servers"),
        Check("moved to another server", outcome.moved, "jobs"),
    ]
    for tenant in ("all at once", "in bursts", "now and then"):
        checks += _waits(f"wait of '{tenant}'", outcome.of(tenant))
    checks += _waits("wait for the rare pipeline", outcome.rare())
    few, many = outcome.of("now and then"), outcome.of("all at once")
    checks.append(Check("longest wait of who asks for little", max(few), "s", most=SHORT_S))
    fair = statistics.median(few) / max(statistics.median(many), 1.0)
    checks.append(Check("median wait: now and then / all at once", fair, most=0.5))
    checks.append(Check("real time of the simulation", outcome.real_s, "s"))
    return checks


def _waits(name: str, waits: list[float]) -> list[Check]:
    return [
        Check(f"{name}: median", statistics.median(waits), "s"),
        Check(f"{name}: 99 %", statistics.quantiles(waits, n=100)[-1], "s"),
        Check(f"{name}: longest", max(waits), "s"),
    ]


def main(arguments: Sequence[str]) -> int:
    """Simulate and print; return 1 if something is not as demanded."""
    logging.disable(logging.ERROR)
    given = [int(text) for text in arguments]
    count, servers, seed = [*given, *(10_000, 100, 4)[len(given) :]]
    print(f"{count} jobs, {servers} servers, seed {seed}")
    outcome = run(simulate(count, servers, seed))
    checks = report(outcome)
    print(table("The pool in virtual time", checks))
    return 0 if all(check.holds for check in checks) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
