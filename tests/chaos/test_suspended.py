"""A sidecar that stood still for longer than its leases: another one has done its work meanwhile.

So it is where a machine sleeps, or is moved while it runs. When it goes on, it must notice before
it writes anything: what the other one has stored is what clients have seen.
"""

from __future__ import annotations

import asyncio
import sys
from typing import Any

import aiohttp
import pytest

from tests.chaos.hasty import LEASE_S
from tests.chaos.load import PIPELINES
from tests.chaos.processes import SidecarProcess
from tests.e2e.running_sidecar import png
from tests.fake_comfy import FakeComfy
from tests.service import picture_form
from tests.waiting import eventually, found

JOBS = 6
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="needs /proc and prlimit")


@pytest.mark.timeout(300)
async def test_who_slept_through_its_leases_changes_nothing(tmp_path):
    async with FakeComfy(hold=True) as comfy, aiohttp.ClientSession() as session:
        places = ("--comfyui-url", comfy.url, "--pipelines-dir", str(PIPELINES))
        options = (*places, "--comfyui-jobs", str(JOBS))
        sleeper = SidecarProcess(tmp_path, *options, hasty=True)
        other = SidecarProcess(tmp_path, *options, hasty=True)  # the same data folder
        try:
            await sleeper.start()
            jobs = await _begun(session, sleeper.url, comfy)
            sleeper.suspend(True)
            await other.start()
            await asyncio.sleep(LEASE_S + 1.5)
            comfy.hold.set()
            before = [await _over(session, other.url, job) for job in jobs]
            assert {job["status"] for job in before} == {"succeeded"}
            sleeper.suspend(False)
            await asyncio.sleep(LEASE_S)
            wrong = [
                f"was succeeded, and is {now}"
                for was, now in zip(before, await _seen(session, other.url, jobs), strict=True)
                if now != was
            ]
            assert not wrong, "\n".join(wrong)
            assert len(comfy.posts) == JOBS
            for job in before:
                async with session.get(job["result"]["video"]) as answer:
                    assert answer.status == 200
        finally:
            sleeper.suspend(False)
            sleeper.kill()
            other.kill()


async def _begun(session: aiohttp.ClientSession, url: str, comfy: FakeComfy) -> list[str]:
    """Ask for the jobs; return their ids when ComfyUI has them all."""
    picture = picture_form(png(1, 64, 48))
    async with session.post(f"{url}/api/upload", data=picture) as answer:
        image = (await answer.json())["imageUrl"]
    jobs: list[str] = []
    for number in range(JOBS):
        fields = {"imageUrl": image, "text": str(number), "comfyPipeline": "quick"}
        headers = {"Prefer": "respond-async"}
        async with session.post(f"{url}/api/generate", data=fields, headers=headers) as answer:
            assert answer.status == 202, await answer.text()
            jobs.append((await answer.json())["id"])
    await eventually(lambda: len(comfy.posts) == JOBS, 20)
    await asyncio.sleep(1.0)  # the answers to the posts are stored
    return jobs


async def _seen(session: aiohttp.ClientSession, url: str, jobs: list[str]) -> list[dict[str, Any]]:
    answers: list[dict[str, Any]] = []
    for job in jobs:
        async with session.get(f"{url}/api/jobs/{job}") as answer:
            answers.append(await answer.json())
    return answers


async def _over(session: aiohttp.ClientSession, url: str, job: str) -> dict[str, Any]:
    async def look() -> dict[str, Any] | None:
        (seen,) = await _seen(session, url, [job])
        return seen if seen["status"] not in ("queued", "running") else None

    return await found(look, 30)
