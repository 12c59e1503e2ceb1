"""Many at once against one sidecar process, and what it took: for the tests and for bench/load.py.

The ComfyUI is the small one of the tests (`tests/fake_comfy.py`): what is measured is the sidecar.
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from tests.chaos.clients import events
from tests.chaos.processes import SidecarProcess
from tests.chaos.record import OVER
from tests.e2e.running_sidecar import png
from tests.fake_comfy import FakeComfy

PIPELINES = Path(__file__).with_name("load_pipelines")
RETRY = (aiohttp.ClientError, asyncio.TimeoutError, OSError)


@dataclass(frozen=True)
class Reply:
    """One answer, and how long it took."""

    status: int
    seconds: float
    body: dict[str, Any]
    headers: dict[str, str]


@dataclass
class Bench:
    """A sidecar under load: its process, its ComfyUI, a client session and an uploaded picture."""

    sidecar: SidecarProcess
    comfy: FakeComfy
    session: aiohttp.ClientSession
    image: str = ""

    async def submit(self, name: str, *, key: bool = True) -> Reply:
        """Ask for one job, not waiting for its video."""
        fields = {"imageUrl": self.image, "text": name, "comfyPipeline": "quick"}
        headers = {"Prefer": "respond-async"} | ({"Idempotency-Key": name} if key else {})
        begun = time.perf_counter()
        async with self.session.post(
            f"{self.sidecar.url}/api/generate", data=fields, headers=headers
        ) as answer:
            body = await answer.json()
            seconds = time.perf_counter() - begun
            return Reply(answer.status, seconds, body, dict(answer.headers))

    async def get(self, path: str) -> tuple[int, dict[str, Any]]:
        """GET a JSON answer."""
        async with self.session.get(self.sidecar.url + path) as answer:
            return answer.status, await answer.json()

    async def listen(self, job_id: str, connected: asyncio.Semaphore) -> list[str]:
        """Follow a job's events to the end; return the states in order."""
        states: list[str] = []
        async with self.session.get(f"{self.sidecar.url}/api/jobs/{job_id}/events") as answer:
            if answer.status != 200:
                connected.release()
                return [f"refused with {answer.status}"]
            async for event in events(answer):
                if event.kind == "status":
                    if not states:
                        connected.release()
                    states.append(event.data["status"])
        return states

    def states(self) -> dict[str, int]:
        """Count the rows of the database by their state."""
        with closing(sqlite3.connect(self.sidecar.data_dir / "jobs.db")) as db:
            return dict(db.execute("select state, count(*) from jobs group by state").fetchall())

    async def settled(self, jobs: int, seconds: float) -> None:
        """Wait until that many jobs are over. Raises TimeoutError."""

        async def wait() -> None:
            while True:
                found = await asyncio.to_thread(self.states)
                if sum(found.get(state, 0) for state in OVER) >= jobs:
                    return
                await asyncio.sleep(0.1)

        await asyncio.wait_for(wait(), seconds)


@asynccontextmanager
async def bench(base: Path, *options: str, hold: bool = False) -> AsyncIterator[Bench]:
    """Start a ComfyUI and a watched sidecar; `hold`: ComfyUI runs, and ends nothing."""
    connector = aiohttp.TCPConnector(limit=0)
    timeout = aiohttp.ClientTimeout(total=120)
    async with (
        FakeComfy(run_s=0.0, hold=hold) as comfy,
        aiohttp.ClientSession(connector=connector, timeout=timeout) as session,
    ):
        places = ("--comfyui-url", comfy.url, "--pipelines-dir", str(PIPELINES))
        quiet = ("--log-level", "warning")
        sidecar = SidecarProcess(base, *places, *quiet, *options, watched=True)
        await sidecar.start()
        try:
            made = Bench(sidecar, comfy, session)
            form = aiohttp.FormData()
            form.add_field("image", png(1, 64, 48), filename="a.png", content_type="image/png")
            async with session.post(f"{sidecar.url}/api/upload", data=form) as answer:
                made.image = (await answer.json())["imageUrl"]
            yield made
        finally:
            sidecar.kill()


@dataclass(frozen=True)
class Pulse:
    """How long /api/health took, asked all the time."""

    seconds: Sequence[float]

    @property
    def worst(self) -> float:
        """The slowest answer."""
        return max(self.seconds, default=0.0)


@asynccontextmanager
async def pulse(made: Bench, pause: float = 0.02) -> AsyncIterator[list[float]]:
    """Ask /api/health all the time; the block gets the list of times."""
    times: list[float] = []

    async def ask() -> None:
        while True:
            begun = time.perf_counter()
            try:
                await made.get("/api/health")
                times.append(time.perf_counter() - begun)
            except RETRY:
                pass
            await asyncio.sleep(pause)

    task = asyncio.create_task(ask())
    try:
        yield times
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@dataclass(frozen=True)
class Slow:
    """A callback of the sidecar's event loop that took 50 ms or more."""

    wall: float
    cpu: float
    at: float
    what: str


def slow(sidecar: SidecarProcess, since: float = 0.0) -> list[Slow]:
    """Return the slow callbacks after a moment (epoch seconds)."""
    if not sidecar.slow_path.is_file():
        return []
    lines = sidecar.slow_path.read_text().splitlines()
    return [one for one in (Slow(**json.loads(line)) for line in lines) if one.at >= since]


def multiply(data_dir: Path, copies: int) -> None:
    """Copy a finished job of the database many times (the sidecar must not run)."""
    with closing(sqlite3.connect(data_dir / "jobs.db")) as db, db:
        columns = [str(row[1]) for row in db.execute("pragma table_info(jobs)") if row[1] != "seq"]
        special = {
            "id": "lower(hex(randomblob(16)))",
            "idempotency_key": "'copy-' || value",
            "created_at": "created_at - value",
        }
        values = ", ".join(special.get(name) or name for name in columns)
        db.execute(
            f"insert into jobs ({', '.join(columns)}) with recursive n(value) as"
            " (select 1 union all select value + 1 from n where value < ?)"
            f" select {values} from n, (select * from jobs where state = 'succeeded' limit 1)",
            (copies,),
        )
