"""Traces, sent to a real collector: from the request to ComfyUI's steps, over a restart too."""

from __future__ import annotations

import asyncio
import subprocess
import sys

import pytest

from sidecar.app import create_app
from sidecar.comfy.mark import Step
from sidecar.observe.otel import STEPS, OtelTracing
from sidecar.observe.tracing import NoTracing, tracing_by
from sidecar.pool.pool import Watch
from sidecar.settings import Settings, SettingsError
from tests.sidecar.jobs_http import QUICK, posted, uploaded, when
from tests.sidecar.observe.otlp import Collector
from tests.waiting import eventually

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
QUICKLY = Watch(look_s=0.05, away_look_s=0.05)


@pytest.fixture
async def collector(monkeypatch):
    async with Collector() as started:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", started.url)
        monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "50")
        yield started


async def tracing():
    return await asyncio.to_thread(OtelTracing.exporting, {})


async def started(aiohttp_client, folder, fake):
    settings = Settings(data_dir=folder / "data", comfyui_url=fake.url)
    app = create_app(settings, QUICKLY, await tracing())
    return await aiohttp_client(app)


async def test_a_request_its_job_and_its_steps_are_one_trace(
    aiohttp_client, tmp_path, fake, collector, png
):
    client = await started(aiohttp_client, tmp_path, fake)
    url = await uploaded(client, png)
    job = await posted(client, {"imageUrl": url, **QUICK}, traceparent=PARENT)
    await when(client, job["id"], "succeeded")
    await eventually(lambda: collector.named("job attempt"))
    await client.close()
    (request,) = collector.named("POST /api/generate")
    (attempt,) = collector.named("job attempt")
    assert request.trace == attempt.trace == PARENT.split("-")[1]
    assert request.parent == PARENT.split("-")[2]
    assert attempt.parent == request.span
    assert request.attributes["http.response.status_code"] == 202
    assert request.attributes["http.route"] == "/api/generate"
    assert attempt.attributes["promptreel.job_id"] == job["id"]
    assert attempt.attributes["promptreel.request_id"]
    assert attempt.attributes["promptreel.prompt_id"] == fake.posts[0]["prompt_id"]
    assert attempt.attributes["server.address"] == fake.url
    steps = [span for span in collector.spans if span.parent == attempt.span]
    steps.sort(key=lambda span: span.begun)
    assert [step.name for step in steps if step.name != "run"] == ["submit", "wait", "fetch"]
    assert all(step.begun >= attempt.begun and step.ended <= attempt.ended for step in steps)
    assert {span.service for span in collector.spans} == {"promptreel"}
    assert "zoom in" not in str(collector.spans)


async def test_a_job_that_goes_on_after_a_restart_goes_on_in_its_trace(
    aiohttp_client, tmp_path, fake, collector, png
):
    fake.hold.clear()
    client = await started(aiohttp_client, tmp_path, fake)
    job = await posted(
        client, {"imageUrl": await uploaded(client, png), **QUICK}, traceparent=PARENT
    )
    await eventually(lambda: fake.posts)
    await client.close()
    fake.hold.set()
    client = await started(aiohttp_client, tmp_path, fake)
    await when(client, job["id"], "succeeded")
    await eventually(lambda: len(collector.named("job attempt")) == 2)
    await client.close()
    first, second = sorted(collector.named("job attempt"), key=lambda span: span.begun)
    assert first.trace == second.trace == PARENT.split("-")[1]
    assert first.parent == second.parent
    assert first.attributes["promptreel.attempt"] < second.attributes["promptreel.attempt"]
    assert len(fake.posts) == 1


async def test_a_failure_is_told_by_its_code(aiohttp_client, tmp_path, fake, collector, png):
    fake.faults.reject = {"error": {"type": "x", "message": "no", "details": ""}, "node_errors": {}}
    client = await started(aiohttp_client, tmp_path, fake)
    job = await posted(client, {"imageUrl": await uploaded(client, png), **QUICK})
    failed = await when(client, job["id"], "failed")
    await client.close()
    (attempt,) = collector.named("job attempt")
    assert attempt.failed
    assert attempt.attributes["error.type"] == failed["error"]["code"]


@pytest.mark.parametrize("header", ["", "nonsense", "00-0-0-01", "00-" + "0" * 32 + "-x-01"])
async def test_a_wrong_parent_is_none(aiohttp_client, tmp_path, collector, header):
    settings = Settings(data_dir=tmp_path / "data", local_comfyui_url="")
    client = await aiohttp_client(create_app(settings, tracing=await tracing()))
    await client.get("/api/jobs/x", headers={"traceparent": header})
    await client.close()
    (span,) = collector.named("GET /api/jobs/{id}")
    assert not span.parent
    assert not span.failed
    assert span.attributes["http.response.status_code"] == 404


async def test_a_collector_that_is_away_disturbs_nobody(aiohttp_client, tmp_path, monkeypatch):
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "1")
    settings = Settings(data_dir=tmp_path / "data", local_comfyui_url="")
    client = await aiohttp_client(create_app(settings, tracing=await tracing()))
    assert (await client.get("/api/health")).status == 200
    await client.close()


@pytest.mark.parametrize(
    "environ",
    [
        {},
        {"OTEL_EXPORTER_OTLP_ENDPOINT": " "},
        {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://x", "OTEL_SDK_DISABLED": "true"},
        {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://x", "OTEL_TRACES_EXPORTER": "none"},
    ],
)
def test_no_tracing_where_none_is_asked_for(environ):
    assert isinstance(tracing_by(environ), NoTracing)


def test_another_protocol_is_refused_in_a_sentence():
    environ = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://x", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}
    with pytest.raises(SettingsError, match="must be http/protobuf, not 'grpc'"):
        tracing_by(environ)


def test_a_missing_extra_is_said_in_a_sentence(monkeypatch):
    monkeypatch.setitem(sys.modules, "opentelemetry", None)
    monkeypatch.delitem(sys.modules, "sidecar.observe.otel", raising=False)
    monkeypatch.setitem(sys.modules, "opentelemetry.context", None)
    with pytest.raises(SettingsError, match=r"pip install 'promptreel\[otel\]'"):
        tracing_by({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://x"})


def test_nothing_of_it_is_loaded_unless_asked_for():
    program = (
        "import sys, sidecar.server, sidecar.cli.serve, sidecar.observe.tracing as t;"
        "t.tracing_by({}); sys.exit(any(n.startswith('opentelemetry') for n in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", program], timeout=60).returncode == 0


def test_every_step_of_the_ledger_is_called_something():
    assert set(STEPS) == {step.value for step in Step} - {Step.RECORDED.value}
