"""Whatever is called in whatever order: ends stay; progress, versions and attempts only grow."""

from __future__ import annotations

import contextlib
import random

import pytest

from sidecar.jobs import Job, Lease, LeaseLost
from sidecar.values import JobState
from tests.sidecar.conformance.jobs_made import HOOK, OOPS, half, spec, take


class Crowd:
    """Clients and workers that do anything at any time, with leases old and new."""

    def __init__(self, store, clock, seed: int) -> None:
        self.store = store
        self.clock = clock
        self.dice = random.Random(seed)
        self.leases: list[Lease] = []
        self.names: list[str] = []

    async def act(self) -> None:
        self.clock.now += self.dice.random() * 10
        acts = [self.submit, self.take, self.cancel, self.reap, self.adopt]
        if self.leases:
            acts += [self.extend, self.extend, self.fail, self.complete, self.leave]
        with contextlib.suppress(LeaseLost):
            await self.dice.choice(acts)()

    async def submit(self):
        name = f"j{len(self.names)}"
        self.names.append(name)
        await self.store.submit(spec(name, max_attempts=3, webhook=HOOK))

    async def take(self):
        lease = await take(self.store, self.dice.choice("vw"), lease_s=8)
        self.leases += [lease] if lease else []

    async def adopt(self):
        self.leases += await self.store.adopt("v", "demo", lease_s=8)

    async def cancel(self):
        await self.store.cancel(self.dice.choice([*self.names, "nobody"]))

    async def reap(self):
        await self.store.reap(self.dice.choice(["w", None]))

    async def extend(self):
        await self.store.extend(self.lease, lease_s=8, progress=half(self.dice.random()))

    async def fail(self):
        await self.store.fail(self.lease, OOPS, retry_in=self.dice.choice([None, 0, 5]))

    async def complete(self):
        await self.store.complete(self.lease, {})

    async def leave(self):
        await self.dice.choice([self.store.release, self.store.canceled])(self.lease)

    @property
    def lease(self) -> Lease:
        return self.dice.choice(self.leases)


def check(was: Job | None, job: Job) -> None:
    assert (job.progress.value == 1) == (job.state is JobState.SUCCEEDED)
    assert (job.finished_at is not None) == job.state.terminal
    if was is None:
        return
    assert job.progress.value >= was.progress.value
    assert job.version >= was.version
    assert job.attempt >= was.attempt
    if was.state.terminal or job.version == was.version:
        assert job == was


@pytest.mark.parametrize("seed", range(8))
async def test_whatever_happens(store, clock, seed):
    crowd = Crowd(store, clock, seed)
    seen: dict[str, Job] = {}
    for _ in range(250):
        await crowd.act()
        jobs, _ = await store.list(tenant="", limit=500)
        for job in jobs:
            check(seen.get(job.id), job)
            seen[job.id] = job
    ended = [name for name, job in seen.items() if job.state.terminal]
    assert len(ended) > 5
    told = []
    while (delivery := await store.outbox.claim(hold_s=1e9)) is not None:
        told.append(delivery.job_id)
    assert sorted(told) == sorted(ended)
