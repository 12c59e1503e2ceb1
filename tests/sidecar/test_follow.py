"""One prompt against a fake ComfyUI that misbehaves in every known way: run once, never lost."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from sidecar.comfy.errors import Rejected, RunFailed, Unreachable
from sidecar.comfy.failures import failure
from sidecar.comfy.look import look
from tests.fake_comfy import GRAPH, OUTPUT_NODE
from tests.sidecar.prompt_runs import QUICK, failing, finish, in_time, runs_on
from tests.waiting import eventually


@pytest.fixture
async def prompt(fake):
    async with runs_on(fake) as runs:
        yield runs


async def refused(run):
    with pytest.raises(Rejected):
        await finish(run)


async def never_answered(run):
    with pytest.raises(Unreachable):
        await finish(run)


async def test_a_prompt_is_posted_once_and_its_record_comes_back(fake, prompt):
    done = await finish(prompt())
    assert done.answer == {"prompt_id": "p1", "number": 0, "node_errors": {}}
    assert OUTPUT_NODE in done.record["outputs"]
    assert len(fake.posts) == 1
    assert set(fake.posts[0]) == {"prompt", "prompt_id", "client_id"}


async def test_progress_names_the_nodes_and_never_goes_back(fake, prompt):
    await finish(prompt())
    values = [report.value for report in prompt.reports]
    assert values == sorted(values)
    assert 0 < values[-1] <= 1
    messages = [report.message for report in prompt.reports]
    assert "ComfyUI: Picture" in messages  # the title somebody gave
    assert "ComfyUI: KSampler" in messages
    assert any(report.step == 1 and report.steps == 2 for report in prompt.reports)


async def test_the_happy_path_never_reads_the_queue(fake, prompt):
    await finish(prompt(pace=replace(QUICK, poll_s=5.0)))
    paths = [path for _, path, _ in fake.requests]
    assert paths.count("/queue") == 0
    assert paths.count("/history/p1") == 1


async def test_place_in_the_queue_is_told(fake, prompt):
    fake.hold.clear()
    first = asyncio.create_task(finish(prompt("p1")))
    await eventually(lambda: fake.running)
    second = asyncio.create_task(finish(prompt("p2")))
    await eventually(lambda: any("queue: after 1 other." in r.message for r in prompt.reports))
    fake.hold.set()
    await asyncio.gather(first, second)


@pytest.mark.parametrize("fault", ["mute", "refuse_sockets"])
async def test_without_a_word_from_the_socket_looking_is_enough(fake, prompt, fault):
    setattr(fake.faults, fault, True)
    assert (await finish(prompt())).record["outputs"]


async def test_a_socket_that_dies_does_not_end_the_job(fake, prompt):
    fake.hold.clear()
    work = asyncio.create_task(finish(prompt()))
    await eventually(lambda: fake.running)
    await fake.cut_sockets()
    fake.hold.set()
    assert (await work).record["outputs"]
    assert len(fake.posts) == 1


@pytest.mark.parametrize("fault", ["lose_answers", "queue_then_500"])
async def test_a_lost_answer_is_looked_for_and_not_posted_again(fake, prompt, fault):
    setattr(fake.faults, fault, 1)
    done = await finish(prompt())
    assert len(fake.posts) == 1
    assert fake.completed["p1"] == 1
    assert done.answer == {"prompt_id": "p1", "number": 0, "node_errors": {}}


async def test_a_post_that_never_arrived_is_repeated_under_the_same_id(fake, prompt):
    fake.faults.drop_posts = 1
    await finish(prompt())
    assert [post["prompt_id"] for post in fake.posts] == ["p1"]


async def test_a_server_that_always_fails_is_given_up(fake, prompt):
    fake.faults.always_500 = True
    error = await failing(prompt())
    assert error.error.code == "comfyui_failed"
    assert len(fake.posts) == 3


async def test_a_refused_graph_is_not_repeated(fake, prompt):
    fake.faults.reject = {"error": {"type": "invalid_prompt", "message": "m"}, "node_errors": {}}
    await refused(prompt())
    assert len(fake.posts) == 1


async def test_what_was_queued_of_a_refused_graph_is_taken_out_again(fake, prompt):
    fake.hold.clear()
    fake.faults.node_errors = {"1": {"errors": [], "class_type": "LoadImage"}}
    await refused(prompt())
    assert not fake.pending
    await eventually(lambda: not fake.running)
    assert not fake.completed


@pytest.mark.parametrize("waiting", [False, True])
async def test_a_restart_in_the_middle_means_posting_again(fake, prompt, waiting):
    fake.hold.clear()
    others = []
    if waiting:
        others.append(asyncio.create_task(finish(prompt("p0"))))
        await eventually(lambda: fake.running)
    work = asyncio.create_task(finish(prompt()))
    await eventually(lambda: any(item[1] == "p1" for item in fake.running + fake.pending))
    await fake.restart(down_s=0.2)
    fake.hold.set()
    assert (await work).record["outputs"]
    for other in others:
        assert (await other).record["outputs"]
    assert [post["prompt_id"] for post in fake.posts].count("p1") == 2
    assert fake.completed["p1"] == 1


async def test_a_server_that_stays_away_is_an_error(fake, prompt):
    fake.hold.clear()
    work = asyncio.create_task(never_answered(prompt(pace=replace(QUICK, away_s=0.3))))
    await eventually(lambda: fake.running)
    await fake.stop()
    await work
    await fake.restart()


async def test_that_it_went_away_is_told_at_once_and_that_it_is_back_too(fake, prompt):
    fake.hold.clear()
    work = asyncio.create_task(finish(prompt(pace=replace(QUICK, poll_s=60, away_s=6.0))))
    await eventually(lambda: any(report.step for report in prompt.reports))
    last = prompt.reports[-1]
    fake.faults.refuse = True
    await fake.cut_sockets()
    await eventually(lambda: "does not answer" in prompt.reports[-1].message, 5)
    assert prompt.reports[-1].value <= last.value
    fake.faults.refuse = False
    await eventually(lambda: prompt.reports[-1] == last, 5)
    fake.hold.set()
    await work
    assert len(fake.posts) == 1


async def test_time_away_is_no_stall(fake, prompt):
    fake.hold.clear()
    pace = replace(QUICK, stall_s=1.5, away_s=6.0)
    work = asyncio.create_task(finish(prompt(pace=pace)))
    await eventually(lambda: any(report.step for report in prompt.reports))
    fake.faults.refuse = True
    await fake.cut_sockets()
    await asyncio.sleep(2.0)
    fake.faults.refuse = False
    await eventually(lambda: "does not answer" not in prompt.reports[-1].message, 5)
    fake.hold.set()
    await work
    assert not fake.interrupts


async def test_nobody_there_at_all_is_an_error(fake, prompt):
    await fake.stop()
    await never_answered(prompt(pace=replace(QUICK, away_s=0.3)))
    await fake.restart()


async def test_removed_by_somebody_is_a_clear_failure(fake, prompt):
    fake.hold.clear()
    first = asyncio.create_task(finish(prompt("p0")))
    await eventually(lambda: fake.running)
    work = asyncio.create_task(failing(prompt()))
    await eventually(lambda: fake.pending)
    fake.delete_by_other("p1")
    error = (await work).error
    assert error.code == "removed_in_comfyui"
    assert error.error.startswith("Somebody removed the job")
    fake.hold.set()
    await first
    assert len(fake.posts) == 2


async def test_removed_while_the_socket_was_cut_is_still_no_restart(fake, prompt):
    fake.hold.clear()
    first = asyncio.create_task(finish(prompt("p")))
    await eventually(lambda: fake.running)
    work = asyncio.create_task(failing(prompt("p0")))
    await eventually(lambda: fake.pending)
    later = asyncio.create_task(finish(prompt("p1")))
    await eventually(lambda: len(fake.pending) == 2)
    await fake.cut_sockets()
    fake.delete_by_other("p0")  # no trace of p0, while p1, posted after it, is there
    assert (await work).error.code == "removed_in_comfyui"
    fake.hold.set()
    await asyncio.gather(first, later)


async def test_stopped_by_somebody_is_told(fake, prompt):
    fake.faults.interrupted_by_other = True
    done = await finish(prompt())
    error = failure(done.record, GRAPH)
    assert error is not None
    assert error.code == "interrupted_in_comfyui"


async def test_a_prompt_of_an_earlier_process_is_found_and_not_posted(fake, prompt):
    fake.hold.clear()
    work = asyncio.create_task(finish(prompt()))
    await eventually(lambda: fake.running)
    again = asyncio.create_task(finish(prompt(), posted_before=True))
    await asyncio.sleep(0.1)
    fake.hold.set()
    assert (await again).answer == (await work).answer
    found = await finish(prompt(), posted_before=True)
    assert found.record["outputs"]
    assert len(fake.posts) == 1


async def test_a_prompt_that_an_earlier_process_did_not_manage_to_post(fake, prompt):
    done = await finish(prompt(), posted_before=True)
    assert done.record["outputs"]
    assert [post["prompt_id"] for post in fake.posts] == ["p1"]


async def test_no_progress_for_too_long_is_stopped(fake, prompt):
    fake.hold.clear()
    error = await failing(prompt(pace=replace(QUICK, stall_s=0.2)))
    assert error.error.code == "comfyui_stalled"
    assert "PROMPTREEL_COMFYUI_SECONDS" in error.error.error
    assert fake.interrupts == ["p1"]
    await eventually(lambda: not fake.running)


async def test_overlooked_once_is_not_lost(fake, prompt):
    fake.faults.mute = True
    fake.hold.clear()
    work = asyncio.create_task(finish(prompt()))
    await eventually(lambda: fake.running)
    fake.faults.hide_queue = 1
    await eventually(lambda: not fake.faults.hide_queue)
    await asyncio.sleep(0.15)
    fake.hold.set()
    assert (await work).record["outputs"]
    assert len(fake.posts) == 1


@pytest.mark.parametrize("mute", [False, True])
async def test_waiting_in_the_queue_is_no_stall(fake, prompt, mute):
    fake.faults.mute = mute
    fake.run_s = 0.15
    fake.hold.clear()
    patient, hasty = prompt("p0"), prompt("p1", replace(QUICK, stall_s=0.2))
    first = asyncio.create_task(finish(patient))
    await eventually(lambda: fake.running)
    work = asyncio.create_task(finish(hasty))
    await asyncio.sleep(0.6)
    assert not work.done()
    fake.hold.set()
    await first
    assert (await work).record["outputs"]


async def test_stopping_interrupts_until_it_works(fake, prompt):
    fake.hold.clear()
    fake.faults.lose_interrupts = 2
    run = prompt()
    work = asyncio.create_task(finish(run))
    await eventually(lambda: fake.running)
    work.cancel()
    await asyncio.gather(work, return_exceptions=True)
    await in_time(run.stop())
    assert len(fake.interrupts) == 3
    assert not fake.running
    assert not fake.completed


async def test_stopping_what_waits_takes_it_out(fake, prompt):
    fake.hold.clear()
    first = asyncio.create_task(finish(prompt("p0")))
    await eventually(lambda: fake.running)
    run = prompt()
    work = asyncio.create_task(finish(run))
    await eventually(lambda: fake.pending)
    work.cancel()
    await asyncio.gather(work, return_exceptions=True)
    await in_time(run.stop())
    assert not fake.pending
    fake.hold.set()
    await first
    assert fake.interrupts == []


async def test_canceled_in_the_middle_of_the_post_leaves_nothing_behind(fake, prompt):
    fake.hold.clear()
    fake.faults.slow = {"/prompt": 0.3}
    run = prompt()
    work = asyncio.create_task(finish(run))
    await eventually(lambda: any(path == "/prompt" for _, path, _ in fake.requests))
    work.cancel()
    await asyncio.gather(work, return_exceptions=True)
    await in_time(run.stop())
    assert not fake.pending
    assert not fake.running


async def test_a_comfyui_that_does_not_stop_is_told(fake, prompt):
    fake.hold.clear()
    fake.faults.deaf = True
    run = prompt()
    work = asyncio.create_task(finish(run))
    await eventually(lambda: fake.running)
    work.cancel()
    await asyncio.gather(work, return_exceptions=True)
    with pytest.raises(RunFailed, match="restart ComfyUI"):
        await in_time(run.stop())
    fake.hold.set()


async def test_a_prompt_that_moves_between_two_reads_is_never_overlooked(fake, prompt):
    fake.hold.clear()
    work = asyncio.create_task(finish(prompt()))
    await eventually(lambda: fake.running)

    async def finish_now():
        fake.hold.set()
        await eventually(lambda: "p1" in fake.history)

    fake.after_read = finish_now
    assert await look(prompt.client, "p1") is not None
    fake.after_read = None
    await work


async def test_many_at_once_are_each_run_once(fake, prompt):
    fake.run_s = 0.0
    runs = [finish(prompt(f"p{number}", replace(QUICK, poll_s=0.01))) for number in range(40)]
    done = await asyncio.gather(*runs)
    assert len(done) == len(fake.posts) == 40
    assert all(count == 1 for count in fake.completed.values())
