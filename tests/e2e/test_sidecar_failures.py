"""What goes wrong between the sidecar and a real ComfyUI, and what the client is told."""

from __future__ import annotations

import asyncio
import socket
import sqlite3
from collections.abc import Callable
from contextlib import closing

import pytest

from tests.e2e.comfyui_server import ComfyUI
from tests.e2e.running_sidecar import PIPELINES, Sidecar, png, started
from tests.waiting import found

LONG = {"seconds": "60", "resolution": "1080p", "fps": "30", "text": "static"}


@pytest.fixture
async def sidecar(comfyui: ComfyUI, aiohttp_client, tmp_path) -> Sidecar:
    return await started(aiohttp_client, tmp_path, comfyui.url, pipelines_dir=PIPELINES)


async def refused(sidecar: Sidecar, status: int, **fields) -> dict:
    """Ask, and demand the contract's error body without a path or a traceback in it."""
    fields = {"imageUrl": await sidecar.upload(png(20)), "text": "x", **fields}
    got, body = await sidecar.ask(**fields)
    assert got == status, body
    assert set(body) <= {"error", "details", "code", "fields"}
    for hint in ("Traceback", "/tmp", "/home", "/root", "site-packages", "current_inputs", "File "):
        assert hint not in str(body)
    return body


async def test_a_failing_node_is_one_clear_sentence(sidecar: Sidecar):
    body = await refused(sidecar, 500, comfyPipeline="any-look", look="bogus")
    # newer ComfyUIs check choices before they run
    assert body["code"] in ("node_failed", "graph_rejected")
    where, _, cause = body["error"].partition("'Odd one' (node 3): ")
    assert where in ("ComfyUI failed in ", "ComfyUI refuses ")
    assert "bogus" in cause


async def test_a_value_that_comfyui_refuses_is_one_clear_sentence(sidecar: Sidecar):
    fields = {"seconds": None, "resolution": None}
    body = await refused(sidecar, 400, comfyPipeline="core-nodes", frames="0", **fields)
    assert body["fields"] == {"frames": "must be a whole number from 1 to 100"}


async def test_an_unknown_pipeline_lists_the_known_ones(sidecar: Sidecar):
    body = await refused(sidecar, 400, comfyPipeline="nope")
    assert body["code"] == "unknown_pipeline"
    for name in ("camera-motion", "core-nodes", "needs-more"):
        assert name in body["error"]


async def test_what_is_missing_is_listed_with_its_folder(sidecar: Sidecar):
    body = await refused(sidecar, 400, comfyPipeline="needs-more")
    assert body["code"] == "missing_requirements"
    for part in (
        "node NodeOfNobody",
        "node AlsoNotThere",
        "model sub/nowhere.safetensors in models/diffusion_models",
        "model neither.safetensors in models/vae",
    ):
        assert part in body["error"]
    assert "https://example.org/nowhere" in body["details"]


async def test_a_named_comfyui_that_is_away_is_no_demo(sidecar: Sidecar):
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))  # nobody else can get the port, and nobody listens
        url = f"http://127.0.0.1:{held.getsockname()[1]}"
        body = await refused(sidecar, 500, serverUrl=url)
    assert body["code"] == "comfyui_unreachable"


async def test_something_that_is_no_comfyui_is_no_demo(sidecar: Sidecar):
    url = f"http://127.0.0.1:{sidecar.client.port}"
    body = await refused(sidecar, 500, serverUrl=url)
    assert body["code"] == "comfyui_unreachable"


async def test_canceling_stops_comfyui_too(comfyui: ComfyUI, sidecar: Sidecar):
    asked = await _begin(sidecar, **LONG)
    running = await _until(comfyui, lambda queue: queue["queue_running"])
    (job_id,) = await _jobs(sidecar)
    response = await sidecar.client.post(f"/api/jobs/{job_id}/cancel")
    assert response.status == 200
    status, body = await asked
    assert (status, body["code"]) == (500, "job_canceled")
    queue = await _until(comfyui, lambda queue: not queue["queue_running"])
    assert not queue["queue_pending"]
    record = comfyui.get(f"/history/{running['queue_running'][0][1]}")
    (entry,) = record.values()
    assert "execution_interrupted" in [kind for kind, _ in entry["status"]["messages"]]


async def test_a_job_that_somebody_removed_fails_clearly(comfyui: ComfyUI, sidecar: Sidecar):
    first = await _begin(sidecar, **LONG)
    await _until(comfyui, lambda queue: queue["queue_running"])
    second = await _begin(sidecar, text="pan left")
    queue = await _until(comfyui, lambda queue: queue["queue_pending"])
    comfyui.post("/queue", {"delete": [queue["queue_pending"][0][1]]})
    status, body = await second
    assert (status, body["code"]) == (500, "removed_in_comfyui")
    comfyui.post("/interrupt", {"prompt_id": queue["queue_running"][0][1]})
    status, body = await first
    assert (status, body["code"]) == (500, "interrupted_in_comfyui")


async def test_comfyui_restarted_in_the_middle_costs_nothing_but_time(comfyui, sidecar: Sidecar):
    asked = await _begin(sidecar, seconds="5", resolution="720p", fps="24", text="zoom in")
    await _until(comfyui, lambda queue: queue["queue_running"])
    await asyncio.to_thread(comfyui.kill)
    await asyncio.to_thread(comfyui.start)
    status, answer = await asked
    assert status == 200, answer
    assert (await sidecar.video(answer["video"]))[2] == 120


async def test_the_sidecar_restarted_in_the_middle_goes_on(comfyui, aiohttp_client, tmp_path):
    first = await started(aiohttp_client, tmp_path, comfyui.url)
    asked = await _begin(first, seconds="6", resolution="720p", fps="24", text="zoom out")
    queue = await _until(comfyui, lambda queue: queue["queue_running"])
    (job_id,) = await _jobs(first)
    await first.client.close()
    await asyncio.gather(asked, return_exceptions=True)
    second = await started(aiohttp_client, tmp_path, comfyui.url)
    job = await _terminal(second, job_id)
    assert job["status"] == "succeeded", job
    assert (await second.video(job["result"]["video"]))[2] == 144
    said = job["result"]["workflowResponse"]
    assert said["prompt_id"] == queue["queue_running"][0][1]


async def _begin(sidecar: Sidecar, **fields) -> asyncio.Task:
    fields = {"imageUrl": await sidecar.upload(png(21)), **fields}
    return asyncio.create_task(sidecar.ask(**fields))


async def _until(comfyui: ComfyUI, condition: Callable[[dict], object]) -> dict:
    """Return ComfyUI's queue once the condition holds for it."""

    async def look() -> dict | None:
        queue = await asyncio.to_thread(comfyui.get, "/queue")
        return queue if condition(queue) else None

    return await found(look)


async def _terminal(sidecar: Sidecar, job_id: str) -> dict:
    async def look() -> dict | None:
        job = await sidecar.job(job_id)
        return None if job["status"] in ("queued", "running") else job

    return await found(look, 90)


async def _jobs(sidecar: Sidecar) -> list[str]:
    """Return the ids of the jobs that are not over."""
    with closing(sqlite3.connect(sidecar.settings.data_dir / "jobs.db")) as db:
        rows = db.execute("select id from jobs where state in ('queued', 'running')")
        return [row[0] for row in rows]
