"""A real file system that is full, and one where no file may grow: refused, nothing lost."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.chaos.load import PIPELINES
from tests.chaos.processes import SidecarProcess
from tests.e2e.running_sidecar import png
from tests.fake_comfy import FakeComfy
from tests.needs import lacking
from tests.waiting import found

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="needs /proc and prlimit"),
    pytest.mark.timeout(300),
]
SMALL = ("unshare", "-rm", "sh", "-c", 'mount -t tmpfs -o size=32m none "$0" && exec "$@"')
CODES = {"disk_full", "storage_failed"}


@dataclass(frozen=True)
class Filled:
    """A service whose disk can be filled, and given room again."""

    url: str
    sidecar: SidecarProcess
    comfy: FakeComfy
    session: aiohttp.ClientSession
    fill: Callable[[], None]
    free: Callable[[], None]

    async def post(self, path: str, **options: Any) -> tuple[int, dict[str, Any]]:
        async with self.session.post(self.url + path, **options) as answer:
            return answer.status, await answer.json()

    async def get(self, path: str) -> tuple[int, dict[str, Any]]:
        async with self.session.get(self.url + path) as answer:
            return answer.status, await answer.json()

    async def upload(self, seed: int) -> tuple[int, dict[str, Any]]:
        form = aiohttp.FormData()
        form.add_field("image", png(seed, 64, 48), filename="a.png", content_type="image/png")
        return await self.post("/api/upload", data=form)

    async def submit(self, image: str, text: str) -> tuple[int, dict[str, Any]]:
        fields = {"imageUrl": image, "text": text, "comfyPipeline": "quick"}
        headers = {"Prefer": "respond-async"}
        return await self.post("/api/generate", data=fields, headers=headers)


def can_mount() -> bool:
    """Whether this system lets us have a small file system of our own."""
    try:
        return not subprocess.run([*SMALL, "/mnt", "true"], capture_output=True).returncode
    except OSError:
        return False


@asynccontextmanager
async def service(base: Path, kind: str) -> AsyncIterator[Filled]:
    data = base / "data"
    data.mkdir()
    within = (*SMALL, str(data)) if kind == "small" else ()
    async with FakeComfy(hold=True) as comfy, aiohttp.ClientSession() as session:
        places = ("--comfyui-url", comfy.url, "--pipelines-dir", str(PIPELINES))
        sidecar = SidecarProcess(base, *places, within=within)
        await sidecar.start()
        filler = Path(f"/proc/{sidecar.pid}/root{data}/filler")

        def fill() -> None:
            if kind == "quota":
                sidecar.limit_files(0)
                return
            with filler.open("wb", buffering=0) as file:
                for size in (65536, 4096, 1):
                    with contextlib.suppress(OSError):
                        while True:
                            file.write(bytes(size))

        def free() -> None:
            sidecar.limit_files(None) if kind == "quota" else filler.unlink()

        try:
            yield Filled(sidecar.url, sidecar, comfy, session, fill, free)
        finally:
            sidecar.kill()


@pytest.mark.parametrize("kind", ["quota", "small"])
async def test_a_full_disk_refuses_clearly_loses_nothing_and_gets_over_it(tmp_path, kind):
    if kind == "small" and not can_mount():
        lacking("This system lets nobody mount a file system of his own (unshare).")
    async with service(tmp_path, kind) as one:
        status, body = await one.upload(1)
        assert status == 200
        image = body["imageUrl"]
        status, job = await one.submit(image, "under way")
        assert status == 202
        assert (await one.get("/api/ready"))[0] == 200

        async def begun() -> bool:
            return (await one.get(f"/api/jobs/{job['id']}"))[1]["status"] == "running"

        await found(begun)
        one.fill()
        status, body = await one.get("/api/ready")
        assert (status, body["code"] in CODES) == (503, True), body
        assert (await one.get("/api/health"))[0] == 200
        status, body = await one.upload(2)
        assert (status, body["code"]) == (500, "disk_full"), body

        async def refused() -> dict[str, Any] | None:  # the file of jobs may have a little room
            status, body = await one.submit(image, "x" * 50_000)
            return body if status == 500 else None

        body = await found(refused)
        assert body["code"] in CODES
        assert "/" not in body["error"]
        one.comfy.hold.set()  # the video is made, and there is no room for it
        await found(lambda: _told(one.sidecar, job["id"]))
        status, body = await one.get(f"/api/jobs/{job['id']}")
        assert status == 200
        assert body["status"] in ("queued", "running")
        one.free()

        async def over() -> dict[str, Any] | None:
            _, body = await one.get(f"/api/jobs/{job['id']}")
            return body if body["status"] not in ("queued", "running") else None

        body = await found(over, 150)
        assert body["status"] == "succeeded", body
        assert (await one.get("/api/ready"))[0] == 200
        assert (await one.upload(3))[0] == 200
        assert (await one.submit(image, "later"))[0] == 202
        texts = [post["prompt"]["2"]["inputs"]["text"] for post in one.comfy.posts]
        assert texts.count("under way") == 1
        assert "Traceback" not in one.sidecar.log()


async def _told(sidecar: SidecarProcess, job_id: str) -> bool:
    return f"job {job_id}: The service" in sidecar.log()
