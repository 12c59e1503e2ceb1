"""GET /metrics: parsed by Prometheus' own parsers; names and labels as its conventions say."""

from __future__ import annotations

import asyncio
import re
from dataclasses import replace

import pytest
from aiohttp import web
from prometheus_client.openmetrics.parser import text_string_to_metric_families as open_metrics
from prometheus_client.parser import text_string_to_metric_families as plain
from yarl import URL

from sidecar.app import create_app
from sidecar.jobs import Job, JobSpec
from sidecar.keys import METRICS, STORE, STREAMS
from sidecar.observe.meter import Answered
from sidecar.observe.metrics import Metrics
from sidecar.observe.snapshot import NOTHING
from sidecar.pool.pool import Watch
from sidecar.settings import Settings
from sidecar.values import JobState
from tests.sidecar.jobs_http import QUICK, posted, when
from tests.waiting import found

UNITS = ("_seconds", "_bytes", "_total", "_info", "_ratio")


async def scraped(client, **headers):
    """Return the samples as {(name, frozen labels): value}."""
    response = await client.get("/metrics", headers=headers)
    assert response.status == 200, await response.text()
    text = await response.text()
    families = list(plain(text))
    samples = [sample for family in families for sample in family.samples]
    keys = [(sample.name, frozenset(sample.labels.items())) for sample in samples]
    assert len(set(keys)) == len(keys)
    return {key: sample.value for key, sample in zip(keys, samples, strict=True)}


def value(samples, name, **named):
    return samples.get((name, frozenset(named.items())), float("nan"))


def labels(samples, name):
    return [dict(found) for one, found in samples if one == name]


def job(state=JobState.SUCCEEDED, pipeline="camera-motion", **more):
    return Job(JobSpec("j", {"pipeline": pipeline}), state, **more)


@pytest.fixture
def metrics():
    made = Metrics("1.2.3")
    made.pipelines = lambda: ("camera-motion",)
    return made


def told(metrics, snapshot=NOTHING):
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in plain(metrics.text(snapshot)[0].decode())
        for sample in family.samples
    }


async def test_a_job_is_counted_from_upload_to_video(client, upload):
    url = await upload()
    made = await posted(client, {"imageUrl": url, **QUICK})
    done = await when(client, made["id"], "succeeded")
    video = await (await client.get(URL(done["result"]["video"]).path)).read()
    samples = await scraped(client)
    name = {"pipeline": "camera-motion"}
    assert value(samples, "promptreel_jobs_submitted_total", **name) == 1
    assert value(samples, "promptreel_jobs_total", **name, state="succeeded") == 1
    assert value(samples, "promptreel_job_wait_seconds_count", **name) == 1
    runs = value(samples, "promptreel_job_run_seconds_sum", **name, state="succeeded")
    assert 0 < runs < 60
    sent = value(samples, "promptreel_http_response_body_bytes_total", route="/api/files/{name}")
    assert sent == len(video)
    assert value(samples, "promptreel_result_bytes_total", **name) > len(video)
    received = value(samples, "promptreel_http_request_body_bytes_total", route="/api/upload")
    assert received > 500
    post = {"method": "POST", "route": "/api/generate"}
    assert value(samples, "promptreel_http_requests_total", **post, status="202") == 1
    assert value(samples, "promptreel_http_request_duration_seconds_count", **post) == 1
    assert value(samples, "promptreel_media_files") >= 3
    assert value(samples, "promptreel_media_bytes") > len(video)
    assert value(samples, "promptreel_disk_free_bytes") > 0
    assert value(samples, "promptreel_queue_depth", lane="demo") == 0
    assert value(samples, "promptreel_webhooks_pending") == 0


def test_how_a_job_may_end_is_told_before_it_does(metrics):
    """Prometheus' increase() takes the first value that it sees for no increase."""
    metrics.submitted(job(JobState.QUEUED))
    for state in ("succeeded", "failed", "canceled"):
        name = {"pipeline": "camera-motion", "state": state}
        assert value(told(metrics), "promptreel_jobs_total", **name) == 0


async def test_jobs_that_wait_and_run_are_told_by_lane_and_pipeline(client):
    for number in range(3):
        spec = JobSpec(f"w{number}", {"pipeline": "camera-motion"}, lane="slow")
        await client.app[STORE].submit(spec)
    await client.app[STORE].submit(JobSpec("x", {"pipeline": "gone"}, lane="slow"))
    await client.app[STORE].lease("w", "slow", lease_s=60, wait_s=0)
    samples = await scraped(client)
    name = "promptreel_jobs_unfinished"
    known = {"lane": "slow", "pipeline": "camera-motion"}
    assert value(samples, name, **known, state="queued") == 2
    assert value(samples, name, **known, state="running") == 1
    assert value(samples, name, lane="slow", pipeline="other", state="queued") == 1
    assert value(samples, "promptreel_queue_depth", lane="slow") == 3
    assert value(samples, "promptreel_queue_oldest_seconds", lane="slow") >= 0


async def test_the_servers_of_the_operator_and_no_others(aiohttp_client, tmp_path, fake):
    settings = Settings(data_dir=tmp_path / "data", comfyui_url=fake.url)
    client = await aiohttp_client(create_app(settings, Watch(look_s=0.05, away_look_s=0.05)))
    name = fake.url.partition("://")[2]

    async def is_up(wanted):
        samples = await scraped(client)
        return samples if value(samples, "promptreel_comfyui_up", server=name) == wanted else None

    samples = await found(lambda: is_up(1.0))
    assert value(samples, "promptreel_comfyui_jobs_in_flight", server=name) == 0
    assert value(samples, "promptreel_comfyui_queue_depth", server=name) == 0
    await client.get("/api/pipelines?serverUrl=http://127.0.0.1:9")
    await fake.stop()
    samples = await found(lambda: is_up(0.0))
    assert [row["server"] for row in labels(samples, "promptreel_comfyui_up")] == [name]
    await fake._start(0)


async def test_paths_and_methods_that_clients_invent_make_no_labels(client):
    for number, method in enumerate(("PROPFIND", "MKCOL", "PURGE")):
        await client.get(f"/nowhere/{number}")
        await client.get(f"/api/jobs/{number}")
        await client.request(method, "/api/health")
    samples = await scraped(client)
    requests = labels(samples, "promptreel_http_requests_total")
    assert {"method": "GET", "route": "/api/jobs/{id}", "status": "404"} in requests
    assert {"method": "GET", "route": "(none)", "status": "404"} in requests
    assert {"method": "other", "route": "(none)", "status": "405"} in requests
    assert len(requests) == 3


async def test_streams_that_are_open_are_counted(client):
    with client.app[STREAMS].place():
        assert value(await scraped(client), "promptreel_event_clients") == 1
    assert value(await scraped(client), "promptreel_event_clients") == 0


async def test_fetched_bytes_are_counted(aiohttp_client, aiohttp_server, tmp_path, png):
    elsewhere = web.Application()

    async def answer(_):
        return web.Response(body=png, content_type="image/png")

    elsewhere.add_routes([web.get("/a.png", answer)])
    server = await aiohttp_server(elsewhere)
    settings = Settings(
        data_dir=tmp_path / "data", local_comfyui_url="", allowed_image_hosts=("127.0.0.1",)
    )
    client = await aiohttp_client(create_app(settings))
    await posted(client, {"imageUrl": str(server.make_url("/a.png")), **QUICK})
    assert value(await scraped(client), "promptreel_fetched_bytes_total") == len(png)


async def test_a_key_is_asked_for_where_there_is_one(aiohttp_client, settings):
    client = await aiohttp_client(create_app(replace(settings, api_key="secret-key")))
    assert (await client.get("/metrics")).status == 401
    assert await scraped(client, Authorization="Bearer secret-key")


async def test_two_services_in_one_process_count_for_themselves(aiohttp_client, tmp_path):
    made = [
        await aiohttp_client(create_app(Settings(data_dir=tmp_path / name, local_comfyui_url="")))
        for name in ("a", "b")
    ]
    await made[0].get("/api/health")
    health = {"method": "GET", "route": "/api/health", "status": "200"}
    assert value(await scraped(made[0]), "promptreel_http_requests_total", **health) == 1
    assert value(await scraped(made[1]), "promptreel_http_requests_total", **health) != 1


@pytest.mark.parametrize(
    ("accept", "answered"),
    [
        ("", "text/plain; version=0.0.4; charset=utf-8"),
        ("text/html, */*", "text/plain; version=0.0.4; charset=utf-8"),
        ("application/openmetrics-text;version=1.0.0", "application/openmetrics-text; version=1"),
    ],
)
async def test_the_form_is_the_one_that_is_accepted(client, accept, answered):
    response = await client.get("/metrics", headers={"Accept": accept})
    assert response.headers["Content-Type"].startswith(answered)
    text = await response.text()
    families = list((open_metrics if "openmetrics" in answered else plain)(text))
    assert len(families) > 15


async def test_the_names_are_as_prometheus_wants_them(client, upload):
    await posted(client, {"imageUrl": await upload(), **QUICK})
    response = await client.get("/metrics", headers={"Accept": "application/openmetrics-text"})
    for family in open_metrics(await response.text()):
        assert family.documentation, family.name
        if family.name.startswith(("process_", "python_")):
            continue
        assert re.fullmatch(r"promptreel_[a-z]+(_[a-z]+)*", family.name)
        if family.type == "histogram":
            assert family.name.endswith("_seconds")
        for unit in ("_milliseconds", "_ms", "_kb", "_mb", "_minutes", "_count", "_sum"):
            assert not family.name.endswith(unit)
        if family.type == "counter":
            names = {sample.name for sample in family.samples}
            assert names <= {f"{family.name}_total", f"{family.name}_created"}
        for sample in family.samples:
            assert all(re.fullmatch(r"[a-z]+", label) for label in sample.labels)


async def test_the_loop_s_lag_is_measured(client):
    async def measured():
        return value(await scraped(client), "promptreel_event_loop_lag_seconds_count") > 0

    assert await found(measured)


def test_a_job_is_counted_once_however_often_it_is_told_of(metrics):
    begun = job(JobState.RUNNING, version=2, attempt=1, created_at=10.0, started_at=12.5)
    metrics.changed(begun)
    metrics.changed(job(JobState.RUNNING, version=3, attempt=1, cancel_requested=True))
    metrics.changed(job(JobState.QUEUED, version=4, attempt=1, created_at=10.0, started_at=12.5))
    metrics.changed(job(JobState.RUNNING, version=5, attempt=2, created_at=10.0, started_at=12.5))
    metrics.changed(job(version=6, attempt=2, created_at=10.0, started_at=12.5, finished_at=20.0))
    samples = told(metrics)
    name = {"pipeline": "camera-motion"}
    assert value(samples, "promptreel_job_wait_seconds_count", **name) == 1
    assert value(samples, "promptreel_job_wait_seconds_sum", **name) == 2.5
    assert value(samples, "promptreel_job_run_seconds_sum", **name, state="succeeded") == 7.5
    assert value(samples, "promptreel_jobs_total", **name, state="succeeded") == 1


def test_a_job_that_never_began_is_counted_but_has_no_times(metrics):
    metrics.changed(job(JobState.CANCELED, created_at=1.0, finished_at=2.0))
    samples = told(metrics)
    name = {"pipeline": "camera-motion"}
    assert value(samples, "promptreel_jobs_total", **name, state="canceled") == 1
    assert not [key for key, _ in samples if key.startswith("promptreel_job_run_seconds_c")]


def test_an_unknown_pipeline_is_one_of_the_others(metrics):
    for number in range(9):
        metrics.changed(job(pipeline=f"strange-{number}"))
    ended = labels(told(metrics), "promptreel_jobs_total")
    assert ended == [{"pipeline": "other", "state": "succeeded"}]


def test_clocks_that_go_back_do_no_harm(metrics):
    metrics.changed(job(created_at=9.0, started_at=5.0, finished_at=3.0))
    samples = told(metrics)
    name = {"pipeline": "camera-motion", "state": "succeeded"}
    assert value(samples, "promptreel_job_run_seconds_sum", **name) == 0


def test_every_name_is_known_before_anything_is_counted(metrics):
    before = metrics.names()
    metrics.answered(Answered("GET", "/x", 200, 0.1))
    metrics.changed(job(created_at=1, started_at=2, finished_at=3))
    assert {name for name, _ in told(metrics) if not name.endswith("_created")} <= before


async def test_scraping_costs_little(client):
    await scraped(client)
    started = asyncio.get_running_loop().time()
    for _ in range(10):
        await client.get("/metrics")
    assert asyncio.get_running_loop().time() - started < 5
    assert client.app[METRICS]
