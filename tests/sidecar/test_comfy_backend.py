"""The service with a fake ComfyUI behind it: every way in which a job can end, over HTTP."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from aiohttp import FormData
from yarl import URL

from sidecar.app import create_app
from sidecar.settings import Settings
from tests.fake_comfy import still, video
from tests.service import picture_form, refusal
from tests.waiting import eventually, found

PIPELINES = str(Path(__file__).parents[1] / "data" / "pipelines")


@pytest.fixture
def settings(fake, tmp_path) -> Settings:
    """A ComfyUI that is named, and pipelines of the operator's."""
    return Settings(data_dir=tmp_path / "data", comfyui_url=fake.url, pipelines_dir=PIPELINES)


@pytest.fixture
def generate(client):
    """Return a function that posts a form with a picture's address and a text."""

    async def send(url, **fields):
        form = FormData({"imageUrl": url, "text": "pan left", **fields}, default_to_multipart=True)
        return await client.post("/api/generate", data=form)

    return send


@pytest.fixture
def made(files):
    """Return a function that lists the files that are no uploads."""
    return lambda: [name for name in files() if len(name.partition(".")[0]) != 64]


async def test_the_answer_of_a_good_run(client, fake, upload, generate, made):
    response = await generate(await upload(), aspect="1:1", seconds="2")
    answer = await response.json()
    assert response.status == 200, answer
    assert set(answer) == {"image", "video", "jobId", "workflowResponse"}
    assert await (await client.get(URL(answer["video"]).path)).read() == video()
    assert await (await client.get(URL(answer["image"]).path)).read() == still()
    response = answer["workflowResponse"]
    assert (response["number"], response["node_errors"]) == (0, {})
    assert response["prompt_id"] == fake.posts[0]["prompt_id"]
    assert response["status"]["status_str"] == "success"
    assert len(made()) == 2
    asked = fake.posts[0]["prompt"]["1"]["inputs"]
    assert (asked["text"], asked["aspect"], asked["seconds"]) == ("pan left", "1:1", 2.0)
    assert asked["image"].startswith("promptreel/")


async def test_a_pipeline_without_a_still_gets_the_videos_first_frame(client, upload, generate):
    answer = await (await generate(await upload(), comfyPipeline="core-nodes")).json()
    response = await client.get(URL(answer["image"]).path)
    assert (await response.read()).startswith(b"\x89PNG")


async def test_a_fault_of_a_node_is_one_sentence(fake, upload, generate, made):
    fake.faults.error = {"exception_message": "no: /srv/x/y.py\nmore", "exception_type": "a.B"}
    body = await refusal(await generate(await upload()), 500)
    assert body["code"] == "node_failed"
    assert body["error"].endswith("(node 2): no: y.py.")
    await eventually(lambda: not made())  # cleaned up after the answer


async def test_a_failure_after_a_file_was_made_is_still_a_failure(fake, upload, generate, made):
    fake.files["output", "", "a.mp4"] = video()
    fake.faults.outputs = {"5": {"images": [{"filename": "a.mp4", "type": "output"}]}}
    fake.faults.error = {"exception_message": "too late", "exception_type": "E"}
    body = await refusal(await generate(await upload()), 500)
    assert body["error"].endswith("too late.")
    await eventually(lambda: not made())  # cleaned up after the answer


async def test_a_blocked_output_is_no_success(fake, upload, generate, made):
    fake.faults.outputs = {}
    body = await refusal(await generate(await upload()), 500)
    assert body["code"] == "no_output"
    await eventually(lambda: not made())  # cleaned up after the answer


async def test_a_refused_graph(fake, upload, generate):
    said = {"type": "invalid_prompt", "message": "node PromptReelScene does not exist."}
    fake.faults.reject = {"error": said, "node_errors": {}}
    body = await refusal(await generate(await upload()), 400)
    assert body["code"] == "missing_requirements"


async def test_a_video_that_cannot_be_decoded(fake, upload, generate, made):
    fake.files["output", "", "a.mp4"] = b"not a video"
    fake.faults.outputs = {"4": {"images": [{"filename": "a.mp4", "type": "output"}]}}
    body = await refusal(await generate(await upload(), comfyPipeline="core-nodes"), 500)
    assert body["code"] == "no_output"
    await eventually(lambda: not made())  # cleaned up after the answer


async def test_a_video_cut_short_on_its_way_is_fetched_again(client, fake, upload, generate):
    fake.faults.cut_views = 1
    answer = await (await generate(await upload())).json()
    assert await (await client.get(URL(answer["video"]).path)).read() == video()
    assert fake.faults.cut_views == 0
    assert len(fake.posts) == 1


@pytest.mark.parametrize(
    ("data", "said"),
    [(video()[:-1], "cut short"), (b"<!DOCTYPE html><p>Hello", "no video"), (b"", "empty")],
)
async def test_a_video_made_with_a_still_must_play_too(fake, upload, generate, made, data, said):
    fake.files["output", "", "a.mp4"] = data
    fake.files["output", "", "a.png"] = still()
    named = {kind: {"filename": f"a.{kind}", "type": "output"} for kind in ("mp4", "png")}
    record = {"promptreel": [{"image": named["png"], "video": named["mp4"]}]}
    fake.faults.outputs = {"5": record}
    body = await refusal(await generate(await upload()), 500)
    assert body["code"] == "no_output"
    assert said in body["error"]
    views = [path for method, path, _ in fake.requests if (method, path) == ("GET", "/view")]
    assert len(views) == 3  # the video twice, the still once
    assert len(fake.posts) == 1
    await eventually(lambda: not made())


async def test_a_cached_file_that_is_gone_is_made_again(fake, upload, generate):
    url = await upload()
    assert (await generate(url)).status == 200
    for name in [name for name in fake.files if name[0] == "output"]:
        del fake.files[name]
    assert (await generate(url)).status == 200
    graphs = [post["prompt"] for post in fake.posts]
    assert len(graphs) == 3
    assert graphs[0] == graphs[1] != graphs[2]


async def test_a_picture_that_somebody_removed_is_brought_again(fake, upload, generate):
    url = await upload()
    assert (await generate(url)).status == 200
    fake.files.clear()
    fake.check_pictures = True
    assert (await generate(url, seed="2")).status == 200
    assert len(fake.posts) == 3


async def test_a_file_that_is_never_there(fake, upload, generate):
    fake.faults.outputs = {"5": {"images": [{"filename": "a.mp4", "type": "output"}]}}
    body = await refusal(await generate(await upload()), 500)
    assert body["code"] == "no_output"
    assert len(fake.posts) == 3


async def test_a_file_that_broke_on_its_way_is_fetched_again(fake, upload, generate, made):
    url = await upload()
    fake.hold.clear()
    asked = asyncio.create_task(generate(url))
    await eventually(lambda: fake.running)
    fake.faults.drop_views = 4  # each is asked for again once by the HTTP client itself
    fake.hold.set()
    assert (await asked).status == 200
    assert len(fake.posts) == 1
    assert len(made()) == 2


async def test_files_are_fetched_once_and_before_the_history_is_read(fake, upload, generate):
    assert (await generate(await upload())).status == 200
    fake.requests.clear()
    fake.linger_s = 0.2
    assert (await generate(await upload(), seed="5")).status == 200
    paths = [path for method, path, _ in fake.requests if method == "GET"]
    assert paths.count("/view") == 2
    assert paths.index("/view") < paths.index(f"/history/{fake.posts[-1]['prompt_id']}")


async def test_the_history_decides_which_file_it_is(client, fake, upload, generate, made):
    fake.files["output", "", "wrong.mp4"] = b"wrong"
    fake.linger_s = 0.05
    fake.faults.slow = {"wrong.mp4": 0.2, "x_00000_.png": 0.5}  # it would be the last to write
    fake.faults.executed = {"images": [{"filename": "wrong.mp4", "type": "output"}]}
    answer = await (await generate(await upload())).json()
    assert await (await client.get(URL(answer["video"]).path)).read() == video()
    assert len(made()) == 2


async def test_canceling_interrupts_comfyui(client, fake, upload, generate, settings, made):
    fake.hold.clear()
    asked = asyncio.create_task(generate(await upload()))
    await eventually(lambda: fake.running)
    (job_id,) = _open_jobs(settings)
    assert (await client.post(f"/api/jobs/{job_id}/cancel")).status == 200
    body = await refusal(await asked, 500)
    assert body["code"] == "job_canceled"
    assert fake.interrupts == [fake.posts[0]["prompt_id"]]
    await eventually(lambda: not fake.running)
    await eventually(lambda: not made())  # cleaned up after the answer


async def test_the_service_restarted_in_the_middle_finds_its_prompt(
    aiohttp_client, fake, settings, png
):
    fake.hold.clear()
    client = await aiohttp_client(create_app(settings))
    response = await client.post("/api/upload", data=picture_form(png))
    url = (await response.json())["imageUrl"]
    fields = {"imageUrl": url, "text": "pan left"}
    asked = asyncio.create_task(client.post("/api/generate", data=fields))
    await eventually(lambda: fake.running)
    (job_id,) = _open_jobs(settings)
    await client.close()
    await asyncio.gather(asked, return_exceptions=True)
    assert fake.interrupts == []
    assert fake.running
    client = await aiohttp_client(create_app(settings))
    fake.hold.set()

    async def ended():
        job = await (await client.get(f"/api/jobs/{job_id}")).json()
        return None if job["status"] in ("queued", "running") else job

    job = await found(ended)
    assert job["status"] == "succeeded", job
    assert len(fake.posts) == 1
    assert job["result"]["workflowResponse"]["prompt_id"] == fake.posts[0]["prompt_id"]


async def test_progress_is_told(client, fake, upload, generate, settings):
    fake.hold.clear()
    asked = asyncio.create_task(generate(await upload()))
    await eventually(lambda: fake.running)
    (job_id,) = _open_jobs(settings)

    async def progress():
        job = await (await client.get(f"/api/jobs/{job_id}")).json()
        return job["progress"] if job["progress"]["value"] else None

    told = await found(progress)
    assert 0 < told["value"] < 1
    assert told["message"].startswith("ComfyUI: PromptReel")
    assert (told["step"], told["steps"]) == (1, 2)
    fake.hold.set()
    assert (await asked).status == 200


async def test_ready_and_pipelines_speak_of_the_server(client, fake):
    body = await (await client.get("/api/ready")).json()
    assert body["status"] == "ready"
    assert body["isDemo"] is False
    rows = (await (await client.get("/api/pipelines")).json())["pipelines"]
    assert next(row["default"] for row in rows if row["name"] == "camera-motion")


def _open_jobs(settings: Settings) -> list[str]:
    with closing(sqlite3.connect(settings.data_dir / "jobs.db")) as db:
        rows = db.execute("select id from jobs where state in ('queued', 'running')")
        return [row[0] for row in rows]
