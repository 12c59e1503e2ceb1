"""Pipelines published on a ComfyUI, found by a service that uses it, on real servers."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from typing import Any

import pytest
from promptreel.publish.shelf import LARGEST_GRAPH, MOST

from sidecar.backends.published import MOST_BYTES
from tests.fake_comfy import GRAPH, FakeComfy
from tests.publish.given import MANIFEST, generate, listing, names, served
from tests.waiting import found

FILES = {"graph.json": GRAPH, "pipeline.json": MANIFEST}


@pytest.fixture
async def fake() -> AsyncIterator[FakeComfy]:
    async with FakeComfy() as fake:
        yield fake


async def _has(service: Any, *wanted: str) -> None:
    async def same() -> bool:
        return await names(service) == list(wanted)

    await found(same, 10)


async def _end(service: Any, job_id: str) -> Any:
    async def ended() -> Any:
        job = await (await service.get(f"/api/jobs/{job_id}")).json()
        return job if job["status"] in ("succeeded", "failed", "canceled") else None

    return await found(ended, 20)


async def test_a_published_one_is_found_made_and_gone(aiohttp_client, tmp_path, fake):
    service = await served(aiohttp_client, tmp_path, fake.url)
    assert await names(service) == []
    fake.user.publish("mine", FILES)
    await _has(service, "mine")
    status, answer = await generate(service, comfyPipeline="mine", seed="7")
    assert status == 200, answer
    assert answer["video"].endswith(".mp4")
    assert fake.posts[-1]["prompt"]["2"]["inputs"]["seed"] == 7
    row = next(row for row in (await listing(service))["pipelines"] if row["name"] == "mine")
    assert (row["title"], row["default"], row["missing"]["nodes"]) == ("Mine", False, [])
    assert [param["name"] for param in row["parameters"]] == ["seed"]
    servers = (await (await service.get("/api/servers")).json())["servers"]
    assert "mine" in servers[0]["pipelines"]
    document = await (await service.get("/api/openapi.json")).json()
    assert "mine" in str(document["components"]["schemas"])
    fake.user.unpublish("mine")
    await _has(service)
    status, answer = await generate(service, comfyPipeline="mine")
    assert (status, answer["code"]) == (400, "unknown_pipeline")


async def test_one_is_known_at_once_where_it_is_asked_for(aiohttp_client, tmp_path, fake):
    service = await served(aiohttp_client, tmp_path, fake.url)
    fake.user.publish("mine", FILES)
    status, answer = await generate(service, comfyPipeline="mine")
    assert status == 200, answer


async def test_nothing_is_read_again_while_nothing_changes(aiohttp_client, tmp_path, fake):
    service = await served(aiohttp_client, tmp_path, fake.url)
    fake.user.publish("mine", FILES)
    await _has(service, "mine")
    fake.requests.clear()

    async def looked() -> bool:
        return sum(path == "/v2/userdata" for _, path, _ in fake.requests) > 5

    await found(looked)
    asked = {path for _, path, _ in fake.requests}
    assert not [path for path in asked if path.startswith(("/userdata", "/models/"))]
    fake.user.publish("mine", {**FILES, "pipeline.json": {**MANIFEST, "title": "Changed"}})

    async def changed() -> bool:
        told = await listing(service)
        return any(row["title"] == "Changed" for row in told["pipelines"])

    await found(changed)
    fake.requests.clear()
    fake.user.publish("second", FILES)
    await _has(service, "mine", "second")
    read = {path for _, path, _ in fake.requests if path.startswith("/userdata")}
    assert len(read) == 2
    assert all("second" in path for path in read)


@pytest.mark.parametrize(
    ("files", "why"),
    [
        ({"graph.json": GRAPH}, "no pipeline.json"),
        ({**FILES, "graph.json": b"{"}, "no valid JSON"),
        ({**FILES, "graph.json": {"1": {"class_type": "A"}}}, "no inputs"),
        ({**FILES, "pipeline.json": {}}, "nothing takes the image"),
        ({**FILES, "graph.json": b" " * (LARGEST_GRAPH + 1)}, "more than"),
        ({**FILES, "pipeline.json": {**MANIFEST, "params": {"seed": {"default": "x"}}}}, "default"),
    ],
)
async def test_wrong_ones_are_told_and_harm_nothing(
    aiohttp_client, tmp_path, fake, caplog, files, why
):
    caplog.set_level(logging.WARNING)
    fake.user.publish("bad", files)
    fake.user.publish("good", FILES)
    service = await served(aiohttp_client, tmp_path, fake.url)
    await _has(service, "good")
    (row,) = (await listing(service))["unusable"]
    assert (row["name"], row["serverUrl"]) == ("bad", fake.url)
    assert why in row["reason"]
    assert sum("'bad'" in text for text in caplog.messages) == 1
    status, answer = await generate(service, comfyPipeline="bad")
    assert status == 400
    assert why in answer["error"]


async def test_the_services_own_of_that_name_wins(aiohttp_client, tmp_path, fake):
    fake.user.publish("camera-motion", FILES)
    service = await served(aiohttp_client, tmp_path, fake.url)

    async def told() -> Any:
        return (await listing(service))["unusable"]

    (row,) = await found(told)
    assert row["name"] == "camera-motion"
    assert "another name" in row["reason"]
    status, answer = await generate(service, comfyPipeline="camera-motion")
    assert status == 200, answer
    assert "PromptReelResult" in str(fake.posts[-1])


async def test_never_taken_where_none_is_named(aiohttp_client, tmp_path, fake):
    fake.user.publish("mine", {**FILES, "pipeline.json": {**MANIFEST, "rank": 10**6}})
    service = await served(aiohttp_client, tmp_path, fake.url)
    await _has(service, "mine")
    status, _ = await generate(service)
    assert status == 200
    assert "PromptReelResult" in str(fake.posts[-1])


async def test_not_more_than_so_many_nor_so_much(aiohttp_client, tmp_path, fake):
    for number in range(MOST + 2):
        fake.user.publish(f"p{number:03}", FILES)
    service = await served(aiohttp_client, tmp_path, fake.url)
    await _has(service, *(f"p{number:03}" for number in range(MOST)))
    assert len((await listing(service))["unusable"]) == 2
    for number in range(MOST + 2):
        fake.user.unpublish(f"p{number:03}")
    large = b'{"1": ' + b" " * (LARGEST_GRAPH - 20) + b"{}}"
    for number in range(10):
        fake.user.publish(f"q{number}", {**FILES, "graph.json": large})

    async def told() -> bool:
        rows = (await listing(service))["unusable"]
        fitting = MOST_BYTES // (len(large) + len(json.dumps(MANIFEST)))
        return sum("together" in row["reason"] for row in rows) == 10 - fitting

    await found(told)
    for number in range(9):
        fake.user.unpublish(f"q{number}")
    fake.user.publish("q9", FILES)
    await _has(service, "q9")


async def test_off_means_not_even_asked(aiohttp_client, tmp_path, fake):
    fake.user.publish("mine", FILES)
    service = await served(aiohttp_client, tmp_path, fake.url, published="off")
    status, answer = await generate(service, comfyPipeline="mine")
    assert (status, answer["code"]) == (400, "unknown_pipeline")
    assert not [path for _, path, _ in fake.requests if "userdata" in path]


async def test_a_job_goes_only_to_a_server_that_holds_it(aiohttp_client, tmp_path, fake):
    async with FakeComfy() as other:
        other.user.publish("mine", FILES)
        service = await served(aiohttp_client, tmp_path, fake.url, other.url)
        await _has(service, "mine")
        for number in range(4):
            status, answer = await generate(service, comfyPipeline="mine", seed=str(number))
            assert status == 200, answer
        assert (len(fake.posts), len(other.posts)) == (0, 4)
        row = next(r for r in (await listing(service))["pipelines"] if r["name"] == "mine")
        assert row["servers"] == [other.url]


async def test_two_of_one_name_are_not_mixed_up(aiohttp_client, tmp_path, fake):
    async with FakeComfy() as other:
        prefixed = {**GRAPH, "9": {**GRAPH["9"], "inputs": {**GRAPH["9"]["inputs"]}}}
        prefixed["9"]["inputs"]["filename_prefix"] = "video/other"
        fake.user.publish("mine", FILES)
        other.user.publish("mine", {**FILES, "graph.json": prefixed})
        service = await served(aiohttp_client, tmp_path, fake.url, other.url, comfyui_jobs=1)
        await _has(service, "mine")
        status, _ = await generate(service, comfyPipeline="mine")
        assert status == 200
        assert (len(fake.posts), len(other.posts)) == (1, 0)
        fake.hold.clear()  # the second one waits for its own server
        jobs = [
            (await generate(service, later=True, comfyPipeline="mine", seed=seed))[1]["id"]
            for seed in ("8", "9")
        ]
        await asyncio.sleep(0.5)
        assert len(other.posts) == 0
        fake.hold.set()
        assert [(await _end(service, job))["status"] for job in jobs] == ["succeeded"] * 2
        assert (len(fake.posts), len(other.posts)) == (3, 0)
        status, _ = await generate(service, comfyPipeline="mine", serverUrl=other.url)
        assert status == 200
        assert "video/other" in str(other.posts[-1])


async def test_a_job_runs_what_it_was_accepted_with(aiohttp_client, tmp_path, fake):
    fake.hold.clear()
    fake.user.publish("mine", FILES)
    service = await served(aiohttp_client, tmp_path, fake.url, comfyui_jobs=1)
    await _has(service, "mine")
    jobs = []
    for seed in ("1", "2"):
        status, job = await generate(service, later=True, comfyPipeline="mine", seed=seed)
        assert status == 202, job
        jobs.append(job["id"])
    await asyncio.sleep(0.3)
    assert len(fake.posts) == 1
    fake.user.unpublish("mine")
    await _has(service)
    fake.hold.set()
    ended = [await _end(service, job) for job in jobs]
    assert [job["status"] for job in ended] == ["succeeded", "succeeded"]
    assert [job["pipeline"] for job in ended] == ["mine", "mine"]


async def test_a_job_outlives_the_service_and_its_pipeline(aiohttp_client, tmp_path, fake):
    fake.user.publish("mine", FILES)
    first = await served(aiohttp_client, tmp_path, fake.url)
    await _has(first, "mine")
    fake.hold.clear()
    _, job = await generate(first, later=True, comfyPipeline="mine", seed="3")
    await first.close()
    fake.user.unpublish("mine")
    fake.hold.set()
    second = await served(aiohttp_client, tmp_path, fake.url)
    ended = await _end(second, job["id"])
    assert ended["status"] == "succeeded"


async def test_a_server_without_user_data_or_a_slow_one_works_on(aiohttp_client, tmp_path, fake):
    fake.faults.slow["/v2/userdata"] = 3.0
    service = await served(aiohttp_client, tmp_path, fake.url)
    status, answer = await generate(service, comfyPipeline="camera-motion")
    assert status == 200, answer


async def test_what_changes_while_it_is_read_is_read_again(aiohttp_client, tmp_path, fake, caplog):
    caplog.set_level(logging.INFO)
    service = await served(aiohttp_client, tmp_path, fake.url)
    other = {
        **GRAPH,
        "2": {"class_type": "KSampler", "inputs": {"image": ["1", 0], "noise_seed": 1}},
    }
    manifest = {**MANIFEST, "title": "New", "mapping": {"image": [["1", "image"]], "text": []}}
    changed = False

    async def change() -> None:
        nonlocal changed
        if not changed and fake.requests and fake.requests[-1][1].endswith("pipeline.json"):
            changed = True
            fake.user.publish("mine", {"graph.json": other, "pipeline.json": manifest})

    fake.after_read = change
    fake.user.publish("mine", FILES)
    await _has(service, "mine")
    status, answer = await generate(service, comfyPipeline="mine")
    assert status == 200, answer
    assert changed
    assert "noise_seed" in str(fake.posts[-1]["prompt"])
    assert sum("is published at" in text for text in caplog.messages) == 1  # never a mixture


async def test_jobs_behind_one_that_waits_for_its_server_go_on(aiohttp_client, tmp_path, fake):
    async with FakeComfy() as other:
        other.user.publish("mine", FILES)
        settings = {"comfyui_away_seconds": 600.0}
        first = await served(aiohttp_client, tmp_path, fake.url, other.url, **settings)
        await _has(first, "mine")
        other.hold.clear()
        fake.hold.clear()
        held = [
            (await generate(first, later=True, comfyPipeline="mine", seed=seed))[1]["id"]
            for seed in ("1", "2", "3")
        ]
        await first.close()
        await other.stop()
        fake.hold.set()
        second = await served(aiohttp_client, tmp_path, fake.url, other.url, **settings)
        status, answer = await asyncio.wait_for(
            generate(second, comfyPipeline="camera-motion", seconds="1"), 20
        )
        assert status == 200, answer
        for job in held:
            state = await (await second.get(f"/api/jobs/{job}")).json()
            assert state["status"] in ("queued", "running")
        await other._start(0)
