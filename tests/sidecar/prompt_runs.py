"""What the tests of one prompt on a fake ComfyUI share: quick runs, and how they end."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from sidecar.comfy.client import ComfyClient, new_session
from sidecar.comfy.errors import RunFailed
from sidecar.comfy.events import Events
from sidecar.comfy.follow import Pace, PromptRun, Watchers
from sidecar.comfy.mark import Mark
from sidecar.comfy.patience import Reporter
from sidecar.values import Progress
from tests.fake_comfy import GRAPH

QUICK = Pace(
    poll_s=0.05, socket_s=0.3, settle_s=0.15, absent_s=0.05, away_s=3.0, stall_s=30.0, stop_s=1.0
)


@dataclass
class Runs:
    """Makes a PromptRun of each id; what they report is in `reports`."""

    client: ComfyClient
    events: Events
    reports: list[Progress] = field(default_factory=list)

    def __call__(self, prompt_id: str = "p1", pace: Pace = QUICK, **watchers) -> PromptRun:
        told = Reporter(self.reports.append, pace.away_s)
        return PromptRun(
            self.client,
            self.events,
            Mark(prompt_id),
            GRAPH,
            pace=pace,
            watchers=Watchers(told, away=told.away, **watchers),
        )


@asynccontextmanager
async def runs_on(fake):
    async with new_session() as session:
        client = ComfyClient(fake.url, session, answer_s=2.0)
        events = Events(client, "me", silence_s=0.2, first_pause_s=0.02)
        yield Runs(client, events)
        await events.close()


def in_time(work, seconds=8.0):
    return asyncio.wait_for(work, seconds)


async def finish(run, *, posted_before=False):
    return await in_time(run.finish(posted_before=posted_before))


async def failing(run):
    with pytest.raises(RunFailed) as caught:
        await finish(run)
    return caught.value
