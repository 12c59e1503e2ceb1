"""Many clients at once, many jobs waiting, many jobs done. The bounds here are generous: what this
machine really needs, and the limits of the specification, are printed by `python -m bench.load`.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections import Counter

import pytest

from tests.chaos.load import Bench, bench, multiply, pulse, slow

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="needs /proc and prlimit"),
    pytest.mark.timeout(600),
]
BLOCKED_S = 0.1  # computed by one callback; the specification's 50 ms is bench.load's business


@pytest.fixture
def tell(capsys):
    """Return a function that prints a measured figure, whether or not the test fails."""

    def say(text: str) -> None:
        with capsys.disabled():
            print(f"\n  {text}", end="", flush=True)

    return say


def never_blocked(made: Bench, since: float, tell) -> None:
    found = slow(made.sidecar, since)
    longest = max((one.cpu for one in found), default=0.0)
    tell(f"event loop: longest callback computed {longest * 1000:.0f} ms (0: less than 50)")
    assert longest < BLOCKED_S, found


async def test_500_submissions_at_once_are_taken_or_refused_quickly(tmp_path, tell):
    async with bench(tmp_path, "--max-queued", "300", hold=True) as made, pulse(made) as times:
        since = time.time()
        before = made.sidecar.body()
        replies = await asyncio.gather(*(made.submit(f"job {n}") for n in range(500)))
        after = made.sidecar.body()
        told = Counter(reply.status for reply in replies)
        assert set(told) == {202, 429}, told
        assert 300 <= told[202] <= 320
        for reply in replies:
            if reply.status == 429:
                assert int(reply.headers["Retry-After"]) >= 1
        slowest = max(reply.seconds for reply in replies)
        tell(f"slowest of 500 submissions at once {slowest:.2f} s (asked: 1)")
        assert slowest < 10
        assert len({reply.body["id"] for reply in replies if reply.status == 202}) == told[202]
        assert after.rss_mb - before.rss_mb < 80
        assert max(times) < 5
        assert (await made.get("/api/ready"))[0] == 503
        never_blocked(made, since, tell)


async def test_200_listeners_of_one_job_all_hear_its_end(tmp_path, tell):
    async with bench(tmp_path, hold=True) as made:
        since = time.time()
        job_id = (await made.submit("watched")).body["id"]
        before = made.sidecar.body()
        connected = asyncio.Semaphore(0)
        listening = [asyncio.create_task(made.listen(job_id, connected)) for _ in range(200)]
        for _ in listening:
            await asyncio.wait_for(connected.acquire(), 60)
        during = made.sidecar.body()
        made.comfy.hold.set()
        heard = await asyncio.wait_for(asyncio.gather(*listening), 60)
        assert {states[-1] for states in heard} == {"succeeded"}
        assert during.rss_mb - before.rss_mb < 60
        await made.session.close()
        await asyncio.sleep(0.5)
        assert made.sidecar.body().files <= before.files + 5
        never_blocked(made, since, tell)


async def test_1000_queued_jobs_survive_a_kill_in_the_middle(tmp_path, tell):
    async with bench(tmp_path, "--max-queued", "2000", "--comfyui-jobs", "8", hold=True) as made:
        since = time.time()
        replies = await asyncio.gather(*(made.submit(f"job {n}") for n in range(1000)))
        assert {reply.status for reply in replies} == {202}
        before = made.sidecar.body()
        made.comfy.hold.set()
        await made.settled(300, 240)
        made.sidecar.kill()
        await made.sidecar.start()
        again = await asyncio.gather(*(made.submit(f"job {n}") for n in range(0, 1000, 20)))
        asked = {reply.body["id"] for reply in again if reply.status in (200, 202)}
        assert asked == {reply.body["id"] for reply in replies[::20]}
        await made.settled(1000, 240)
        assert made.states() == {"succeeded": 1000}
        graphs = Counter(body["prompt"]["2"]["inputs"]["text"] for body in made.comfy.posts)
        assert len(graphs) == 1000
        assert max(graphs.values()) == 1
        assert made.sidecar.body().rss_mb - before.rss_mb < 60
        never_blocked(made, since, tell)


async def test_a_start_with_10000_finished_jobs_is_quick(tmp_path, tell):
    async with bench(tmp_path) as made:
        await made.submit("one")
        await made.settled(1, 30)
        made.sidecar.kill()
        empty = await made.sidecar.start()
        made.sidecar.kill()
        multiply(made.sidecar.data_dir, 10_000)
        full = await made.sidecar.start()
        assert made.states()["succeeded"] == 10_001
        tell(f"start with 10,000 finished jobs {full:.2f} s (asked: 2), with one {empty:.2f} s")
        assert full < empty + 2.0
        status, page = await made.get("/api/jobs?limit=50")
        assert status == 200
        assert len(page["jobs"]) == 50
