"""Hundreds of jobs while everything around them breaks; then everything is counted.

PROMPTREEL_TEST_CHAOS_JOBS, _SECONDS, _SERVERS and _SEED make another, or a longer, run of it;
_FAULTS=KILL_SIDECAR,KILL_SIDECAR,STALL allows only these; _CUT_BYTES is how many bytes most of the
connections that are cut live through.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
import time
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import aiohttp
import pytest
from av.error import FFmpegError

from tests.chaos import audit
from tests.chaos.clients import Customers
from tests.chaos.ledger import Film, Ledger, watch
from tests.chaos.plan import Fault, Manner, Plan, Wish, draw
from tests.chaos.processes import family
from tests.chaos.record import Record
from tests.chaos.world import World, world
from tests.e2e.running_sidecar import png

PREFIX = "PROMPTREEL_TEST_CHAOS_"
TIDY_S = 45.0  # after a start, for what nobody owns to go
GROWTH_MB = 25.0
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="needs /proc and prlimit")


def setting(name: str, default: int) -> int:
    return int(os.environ.get(PREFIX + name, default))


SECONDS = setting("SECONDS", 80)
MORE = setting("MORE", 60)  # jobs after that, when nothing is broken any more
CALM_S = setting("CALM", 180)  # after the last fault, for the rest to come to its end


@pytest.mark.timeout(SECONDS * 2 + 900)  # a busy machine; it takes SECONDS + 60 otherwise
async def test_nothing_is_lost_whatever_breaks(comfyui_installation, tmp_path):
    servers = setting("SERVERS", 2)
    faults = [Fault[name] for name in os.environ.get(f"{PREFIX}FAULTS", "").split(",") if name]
    cut = setting("CUT_BYTES", 15_000)
    plan = draw(setting("SEED", 4), setting("JOBS", 220), SECONDS, servers, faults, cut)
    print(f"The plan of this run:\n{plan}")  # shown when it fails
    record = Record()
    async with (
        world(comfyui_installation, tmp_path, plan.seed, servers) as under_fire,
        aiohttp.ClientSession(
            timeout=aiohttp.ClientTimeout(total=60),
            connector=aiohttp.TCPConnector(limit=0, force_close=True),
        ) as session,
    ):
        customers = Customers(session, under_fire.sidecar.url, f"seed-{plan.seed}", record)
        customers.pictures = [await customers.upload(png(seed, 64, 48)) for seed in range(8)]
        await _storm(plan, under_fire, customers)
        died = await _revived(under_fire)
        shown = await _films(session, under_fire, record)
        wrong = [*died, *under_fire.wrong, *await _calm(under_fire, customers)]
        wrong += await _resumed(customers)
        wrong += await _canceled(under_fire, customers)
        wrong += [*record.wrong, *await _ending(under_fire)]
        wrong = [*_count(under_fire, record, shown), *wrong]  # first what says most
        wrong += await _tidied(under_fire, record, customers)
    print(_summary(record, under_fire))
    assert not wrong, "\n".join([f"{len(wrong)} things are wrong:", *wrong[:60], str(plan)])


async def _storm(plan: Plan, under_fire: World, customers: Customers) -> None:
    """Let the clients want their jobs while the faults strike; then wait for the last one."""

    async def later(wish: Wish) -> None:
        await asyncio.sleep(wish.at)
        await customers.want(wish)

    wanting = [asyncio.create_task(later(wish), name=wish.name) for wish in plan.wishes]
    try:
        await under_fire.suffer(plan)
        await asyncio.wait(wanting, timeout=CALM_S)
    finally:
        for task in wanting:  # the count tells which ones never came to an end
            task.cancel()
        ends = await asyncio.gather(*wanting, return_exceptions=True)
    for name, end in zip((wish.name for wish in plan.wishes), ends, strict=True):
        if isinstance(end, Exception):
            raise AssertionError(f"the client of {name} failed") from end


async def _revived(under_fire: World) -> list[str]:
    """Return whether the sidecar ended though nobody killed it; start it again."""
    if under_fire.sidecar.running:
        return []
    await under_fire.sidecar.start()
    return [f"the sidecar ended by itself: {under_fire.sidecar.log()[-1000:]}"]


async def _films(
    session: aiohttp.ClientSession, under_fire: World, record: Record
) -> dict[str, Film]:
    """Play every video, in whole."""
    shown: dict[str, Film] = {}
    for name in [name for seen in record.seen.values() for name in seen.results]:
        async with session.get(f"{under_fire.sidecar.url}/api/files/{name}") as answer:
            if answer.status == 200:
                with contextlib.suppress(
                    FFmpegError, IndexError
                ):  # the count tells which is not shown
                    shown[name] = await asyncio.to_thread(watch, await answer.read())
    return shown


async def _calm(under_fire: World, customers: Customers) -> list[str]:
    """Send old requests again, and many new ones: the same answers, and no growing memory."""
    wrong: list[str] = []
    warm = [Wish(0, f"warm-{n}", Manner.POLL, 0, n) for n in range(20)]
    more = [Wish(0, f"more-{n}", Manner.POLL, 0, n) for n in range(MORE)]
    record = customers._record
    for seen in list(record.seen.values())[:40]:
        if seen.ends:
            await customers.again(seen.wish)
    await _all(customers, warm)
    before = under_fire.sidecar.body()
    await _all(customers, more)
    after = under_fire.sidecar.body()
    if after.rss_mb - before.rss_mb > GROWTH_MB:
        wrong.append(f"{MORE} jobs more take {after.rss_mb - before.rss_mb:.1f} MB of memory more")
    if after.files - before.files > 20:
        wrong.append(f"{MORE} jobs more leave {after.files - before.files} files open")
    wrong += [
        f"{wish.name}: {record.of(wish).last} when nothing was broken"
        for wish in [*warm, *more]
        if record.of(wish).ends != {"succeeded"}
    ]
    return wrong


async def _resumed(customers: Customers) -> list[str]:
    """A stream goes on behind the event that the client had last, whatever happened between."""
    ended = [seen for seen in customers._record.seen.values() if seen.ends][:20]
    wrong: list[str] = []
    for job_id in [min(seen.ids) for seen in ended]:
        whole = await customers.told(job_id)
        for place, mark in enumerate(whole):
            rest = await customers.told(job_id, mark)
            if rest != whole[place + 1 :]:
                wrong.append(f"the events of {job_id} after {mark} are {rest}, of {whole}")
    return wrong


async def _canceled(under_fire: World, customers: Customers) -> list[str]:
    """Cancel what runs for minutes: ComfyUI must do nothing any more when the job says so."""
    wish = Wish(0, "long", Manner.POLL, 100_000, 1, cancel_after=2.0)
    await asyncio.wait_for(customers.want(wish), CALM_S)
    seen = customers._record.of(wish)
    wrong = [] if seen.ends == {"canceled"} else [f"a long job that was canceled is {seen.ends}"]
    for server in under_fire.servers:
        queue = await asyncio.to_thread(server.comfyui.get, "/queue")
        if queue["queue_running"] or queue["queue_pending"]:
            wrong.append("ComfyUI still works on a job that was canceled")
    return wrong


async def _all(customers: Customers, wishes: list[Wish]) -> None:
    """Want them all at once; the count tells which ones did not come to an end in time."""
    wanting = [asyncio.create_task(customers.want(wish)) for wish in wishes]
    _, hanging = await asyncio.wait(wanting, timeout=CALM_S)
    for task in hanging:
        task.cancel()


async def _ending(under_fire: World) -> list[str]:
    """Stop the sidecar; nothing of it, and nothing in ComfyUI, may be left."""
    wrong: list[str] = []
    session = under_fire.sidecar.pid
    wrong += [f"the zombie {one.pid}" for one in family(session) if one.state == "Z"]
    status, seconds = await under_fire.sidecar.stop()
    if status != 0:
        wrong.append(f"SIGTERM ended the sidecar with status {status} after {seconds:.1f} s")
    wrong += [f"process {one.pid} was left behind" for one in family(session) if one.state != "Z"]
    for server in under_fire.servers:
        queue = await asyncio.to_thread(server.comfyui.get, "/queue")
        if queue["queue_running"] or queue["queue_pending"]:
            wrong.append("ComfyUI still works for nobody")
    return wrong


async def _tidied(under_fire: World, record: Record, customers: Customers) -> list[str]:
    """Start once more when everything is old: what nobody owns goes then, and nothing else."""
    inputs = [server.comfyui.input_dir for server in under_fire.servers]
    data_dir = under_fire.sidecar.data_dir
    old = time.time() - 2 * 86400
    for folder in (data_dir / "media", *inputs):
        for path in folder.rglob("*"):
            os.utime(path, (old, old))
    await under_fire.sidecar.start()
    deadline = time.monotonic() + TIDY_S
    while True:
        left = _leaks(data_dir, record, customers, inputs)
        if not left or time.monotonic() > deadline:
            return left
        await asyncio.sleep(0.5)


def _leaks(data_dir: Path, record: Record, customers: Customers, inputs: list[Path]) -> list[str]:
    try:
        return list(audit.leaks(data_dir, record, customers.pictures, inputs))
    except FileNotFoundError as error:  # deleted just now: look again
        return [f"{error.filename} was there a moment ago"]


def _count(under_fire: World, record: Record, shown: dict[str, Film]) -> list[str]:
    ledger = Ledger.read([server.comfyui.base for server in under_fire.servers])
    stormy = Record({n: s for n, s in record.seen.items() if n.startswith("job-")})
    print(
        f"{audit.doubles(record, ledger)} jobs ran to their end twice after ComfyUI had lost them"
    )
    return [
        *_few(audit.ends(record)),
        *_few(audit.failures(record, under_fire.done)),
        *_few(audit.films(stormy, shown, ledger)),
        *_few(audit.once(record, ledger, under_fire.done)),
        *_few(audit.rows(under_fire.sidecar.data_dir, record)),
    ]


def _few(found: Iterator[str]) -> list[str]:
    """Return the first sentences of a rule, so that they do not hide those of the others."""
    few = list(islice(found, 12))
    more = sum(1 for _ in found)
    return [*few, f"and {more} more like that"] if more else few


def _summary(record: Record, under_fire: World) -> str:
    ended = Counter(end for seen in record.seen.values() for end in seen.ends)
    codes = Counter(
        (seen.last.get("error") or {}).get("code")
        for seen in record.seen.values()
        if "failed" in seen.ends
    )
    cuts = sum(server.proxy.cuts for server in under_fire.servers)
    connections = sum(server.proxy.connections for server in under_fire.servers)
    return (
        f"{len(record.seen)} jobs: {dict(ended)}; failed by {dict(codes)}; "
        f"{len(under_fire.done)} faults, {cuts} of {connections} connections cut, "
        f"{under_fire.sidecar.starts} lives of the sidecar; refusals {record.refusals}"
    )
