"""A prompt taken up by the next process, and what is known of the process that took it."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace

import pytest

from sidecar.comfy.identity import Seen, judged
from sidecar.comfy.mark import Mark, Step
from sidecar.limits import not_started
from tests.sidecar.prompt_runs import QUICK, failing, finish, runs_on
from tests.waiting import eventually


@pytest.fixture
async def prompt(fake):
    async with runs_on(fake) as runs:
        yield runs


@pytest.mark.parametrize("mute", [False, True])
async def test_a_history_that_somebody_cleared_means_posting_again(fake, prompt, mute):
    fake.faults.mute = mute
    fake.hold.clear()
    work = asyncio.create_task(finish(prompt()))
    await eventually(lambda: fake.running)
    await asyncio.sleep(0.2)  # seen running
    fake.faults.hide_records = 2 if mute else 3
    fake.hold.set()
    assert (await work).record["outputs"]
    assert len(fake.posts) == 2


async def test_each_step_is_remembered_before_it_is_taken(fake, prompt):
    steps = []

    async def remember(mark):
        steps.append((mark.step.value, len(fake.posts)))

    await finish(prompt(remember=remember))
    assert steps == [("submitting", 0), ("accepted", 1), ("following", 1)]


async def test_a_prompt_that_waits_too_long_is_taken_out(fake, prompt):
    fake.hold.clear()
    first = asyncio.create_task(finish(prompt("p0")))
    await eventually(lambda: fake.running)
    run = prompt()
    run._start_by = (time.time() + 0.2, not_started(0.2))
    assert (await failing(run)).error.code == "not_started_in_time"
    assert not fake.pending
    fake.hold.set()
    await first


async def test_previews_are_passed_on(fake, prompt):
    seen = []
    run = prompt(preview=lambda data, mime: seen.append((data, mime)))
    fake.hold.clear()
    work = asyncio.create_task(finish(run))
    await eventually(lambda: fake.running)
    await fake.send_preview("me", "p1", b"abc")
    await eventually(lambda: seen)
    fake.hold.set()
    await work
    assert seen == [(b"abc", "image/png")]


@pytest.mark.parametrize(
    ("step", "posts"),
    [("submitting", 0), ("unknown", 0), ("submitting", 1), ("accepted", 1), ("following", 1)],
)
async def test_a_killed_process_is_succeeded_at_every_step(fake, prompt, step, posts):
    if posts:
        await finish(prompt())
    run = prompt()
    run.mark = Mark("p1", Step(step), number=0, at=time.time())
    done = await finish(run, posted_before=True)
    assert done.record["outputs"]
    assert fake.completed["p1"] == 1
    assert len(fake.posts) == 1


async def test_a_comfyui_that_dies_again_and_again_is_given_up_in_the_end(fake, prompt):
    fake.hold.clear()
    work = asyncio.create_task(failing(prompt(pace=replace(QUICK, runs=3))))
    for _ in range(3):
        await eventually(lambda: fake.running)
        await asyncio.sleep(0.1)
        await fake.restart()
    assert (await work).error.code == "comfyui_restarted"
    assert len(fake.posts) == 3


OLD = Mark("p1", number=5, at=1000.0)


@pytest.mark.parametrize(
    ("seen", "said"),
    [
        ([], True),
        ([Seen("a", 6)], False),  # sent after ours, to the same process
        ([Seen("a", 5), Seen("b", 6)], True),  # our number was given again
        ([Seen("a", 3, 500.0)], False),  # sent before ours: still there
        ([Seen("a", 3, 2000.0), Seen("b", 6, 2100.0)], True),  # a lower number, sent later
        ([Seen("a", 3)], True),
    ],
)
def test_what_numbers_say_of_a_restart(seen, said):
    assert judged(OLD, seen) is said
