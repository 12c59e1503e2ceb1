"""The service under load, beside the limits that are asked of it; absolute, so of this machine.

    python -m bench.load

One sidecar process and the tests' small ComfyUI: 500 submissions at once, 200 listeners of one job,
1000 queued jobs with a kill in the middle, a start with 10,000 finished jobs. The event loop is
timed inside the process, callback by callback: what it computed, and by the clock on the wall.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from bench.rounds import Check, table
from tests.chaos.load import Bench, Reply, bench, multiply, pulse, slow

BLOCKED_MS = 50.0
Scene = Callable[[Path], Awaitable[list[Check]]]


async def submissions(base: Path) -> list[Check]:
    """500 at once, of which the queue takes 300."""
    async with bench(base, "--max-queued", "300", hold=True) as made:
        since, before = time.time(), made.sidecar.body().rss_mb
        alone = [(await made.submit(f"alone {n}")).seconds for n in range(20)]
        async with pulse(made) as times:
            replies = await asyncio.gather(*(made.submit(f"job {n}") for n in range(500)))
        grown = made.sidecar.body().rss_mb - before
        slowest = max(reply.seconds for reply in replies)
        return [
            Check("slowest answer", slowest, "s", most=1.0),
            Check("taken", _count(replies, 202), ""),
            Check("refused with 429", _count(replies, 429), ""),
            Check("anything else", len(replies) - _count(replies, 202, 429), "", most=0),
            Check("one submission alone, median", statistics.median(alone) * 1000, "ms"),
            Check("500 at once / 500 alone", slowest / (500 * statistics.median(alone))),
            Check("slowest /api/health meanwhile", max(times) * 1000, "ms"),
            Check("memory", grown, "MB more"),
            *_loop(made, since),
        ]


async def listeners(base: Path) -> list[Check]:
    """200 clients follow one job."""
    async with bench(base, hold=True) as made:
        since, before = time.time(), made.sidecar.body().rss_mb
        job_id = (await made.submit("watched")).body["id"]
        connected = asyncio.Semaphore(0)
        tasks = [asyncio.create_task(made.listen(job_id, connected)) for _ in range(200)]
        for _ in tasks:
            await asyncio.wait_for(connected.acquire(), 60)
        during = made.sidecar.body().rss_mb - before
        freed = time.perf_counter()
        made.comfy.hold.set()
        heard = await asyncio.wait_for(asyncio.gather(*tasks), 60)
        took = time.perf_counter() - freed
        return [
            Check(
                "heard the end", sum(states[-1] == "succeeded" for states in heard), "", least=200
            ),
            Check("from the last step to the last listener's end", took, "s"),
            Check("memory", during, "MB more"),
            *_loop(made, since),
        ]


async def queue(base: Path) -> list[Check]:
    """1000 queued jobs, kill -9 after 300, and on."""
    async with bench(base, "--max-queued", "2000", "--comfyui-jobs", "8", hold=True) as made:
        since = time.time()
        await asyncio.gather(*(made.submit(f"job {n}") for n in range(1000)))
        before, begun = made.sidecar.body().rss_mb, time.perf_counter()
        made.comfy.hold.set()
        await made.settled(300, 120)
        made.sidecar.kill()
        down = await made.sidecar.start()
        await made.settled(1000, 300)
        took = time.perf_counter() - begun - down
        posts = [body["prompt"]["2"]["inputs"]["text"] for body in made.comfy.posts]
        return [
            Check("succeeded", made.states().get("succeeded", 0), "", least=1000),
            Check("posted to ComfyUI twice", len(posts) - len(set(posts)), "", most=0),
            Check("jobs per second", 1000 / took, "/s"),
            Check("start with 700 unfinished jobs", down, "s"),
            Check("memory", made.sidecar.body().rss_mb - before, "MB more"),
            *_loop(made, since),
        ]


async def history(base: Path) -> list[Check]:
    """A start with 10,000 finished jobs, beside one with a single one."""
    async with bench(base) as made:
        await made.submit("one")
        await made.settled(1, 30)
        few, many = [], []
        for _ in range(3):
            made.sidecar.kill()
            few.append(await made.sidecar.start())
        made.sidecar.kill()
        multiply(made.sidecar.data_dir, 10_000)
        for _ in range(3):
            many.append(await made.sidecar.start())
            made.sidecar.kill()
        await made.sidecar.start()
        return [
            Check("start with 10,000 finished jobs", statistics.median(many), "s", most=2.0),
            Check("the same / with one", statistics.median(many) / statistics.median(few)),
            Check("GET /api/jobs?limit=50", await _timed(made, "/api/jobs?limit=50"), "ms"),
        ]


async def _timed(made: Bench, path: str) -> float:
    times: list[float] = []
    for _ in range(20):
        begun = time.perf_counter()
        await made.get(path)
        times.append((time.perf_counter() - begun) * 1000)
    return statistics.median(times)


def _count(replies: list[Reply], *statuses: int) -> int:
    return sum(reply.status in statuses for reply in replies)


def _loop(made: Bench, since: float) -> list[Check]:
    """Return how long the event loop was held by one callback (0: less than 50 ms)."""
    found = slow(made.sidecar, since)
    computed = max((one.cpu for one in found), default=0.0) * 1000
    wall = max((one.wall for one in found), default=0.0) * 1000
    return [
        Check("event loop: longest callback computed", computed, "ms", most=BLOCKED_MS),
        Check("event loop: longest callback by the clock", wall, "ms"),
    ]


SCENES: dict[str, Scene] = {
    "500 submissions at once": submissions,
    "200 listeners of one job": listeners,
    "1000 queued jobs, kill -9 in the middle": queue,
    "10,000 finished jobs": history,
}


def main() -> int:
    """Run all and print the tables; return 1 if something is not as asked."""
    good = True
    for title, scene in SCENES.items():
        with tempfile.TemporaryDirectory() as folder:
            checks = asyncio.run(_run(scene, Path(folder)))
        print(table(title, checks), flush=True)
        good = good and all(check.holds for check in checks)
    return 0 if good else 1


async def _run(scene: Scene, folder: Path) -> list[Check]:
    return await scene(folder)


if __name__ == "__main__":
    sys.exit(main())
