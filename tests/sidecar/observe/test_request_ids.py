"""Request ids: from the header to the answer, the log, the job and the prompt in ComfyUI."""

from __future__ import annotations

import json
import logging
import re
from dataclasses import replace

import pytest

from sidecar.app import create_app
from sidecar.keys import STORE
from sidecar.observe.context import REQUEST_ID, about, request_id
from sidecar.observe.logs import JsonLines, TextLines, _name_ids
from sidecar.pool.pool import Watch
from sidecar.settings import Settings
from tests.sidecar.jobs_http import QUICK, posted, uploaded, when

OWN = re.compile(r"[0-9a-f]{32}")


class Kept(logging.Handler):
    """Keeps each record as the service's own handler would write it."""

    def __init__(self):
        super().__init__(logging.DEBUG)
        self.addFilter(_name_ids)
        self.setFormatter(JsonLines())
        self.lines: list[dict] = []

    def emit(self, record):
        self.lines.append(json.loads(self.format(record)))

    def access(self) -> list[dict]:
        return [line for line in self.lines if line["logger"] == "sidecar.access"]


@pytest.fixture
def kept():
    handler, logger = Kept(), logging.getLogger("sidecar")
    logger.addHandler(handler)
    before = logger.level
    logger.setLevel(logging.DEBUG)
    yield handler
    logger.removeHandler(handler)
    logger.setLevel(before)


@pytest.mark.parametrize("given", ["abc", "a.b-c_d", "0" * 64, "A1"])
async def test_a_well_formed_id_is_kept(client, given):
    response = await client.get("/api/health", headers={"X-Request-Id": given})
    assert response.headers["X-Request-Id"] == given


@pytest.mark.parametrize("given", ["", "x" * 65, "a b", "-a", "<b>", "a;b", "\u0430", "a=b"])
async def test_any_other_is_replaced(client, given):
    response = await client.get("/api/health", headers={"X-Request-Id": given})
    assert OWN.fullmatch(response.headers["X-Request-Id"])
    assert request_id(given) != given


async def test_every_answer_has_one_whatever_happens(client, upload):
    video = await upload()
    name = video.rpartition("/")[2]
    for method, path in (
        ("GET", "/nowhere"),
        ("DELETE", "/api/health"),
        ("GET", f"/api/files/{name}"),
        ("HEAD", f"/api/files/{name}"),
        ("GET", "/api/jobs/none"),
        ("POST", "/api/upload"),
    ):
        first = await client.request(method, path)
        again = await client.request(method, path)
        ids = {answer.headers["X-Request-Id"] for answer in (first, again)}
        assert len(ids) == 2, path


async def test_pages_of_listed_origins_may_read_and_send_it(aiohttp_client, settings):
    origin = "https://studio.example"
    client = await aiohttp_client(create_app(replace(settings, cors_origins=(origin,))))
    response = await client.options("/api/generate", headers={"Origin": origin})
    assert "X-Request-Id" in response.headers["Access-Control-Allow-Headers"]
    assert "X-Request-Id" in response.headers["Access-Control-Expose-Headers"]


async def test_it_reaches_the_log_the_job_and_the_prompt(aiohttp_client, tmp_path, fake, png, kept):
    settings = Settings(data_dir=tmp_path / "data", comfyui_url=fake.url)
    client = await aiohttp_client(create_app(settings, Watch(look_s=0.05)))
    url = await uploaded(client, png)
    job = await posted(client, {"imageUrl": url, **QUICK}, **{"X-Request-Id": "order-66"})
    await when(client, job["id"], "succeeded")
    stored = await client.app[STORE].get(job["id"])
    assert stored.spec.request_id == "order-66"
    told = fake.posts[0]["extra_data"]["promptreel"]
    assert told == {"job_id": job["id"], "request_id": "order-66"}
    lines = [line for line in kept.lines if line.get("request_id") == "order-66"]
    assert {line["logger"] for line in lines} >= {"sidecar.access", "sidecar.attempt"}
    made = next(line for line in lines if line["logger"] == "sidecar.attempt")
    assert made["job_id"] == job["id"]
    assert "video" not in str(stored.spec.request_id)


async def test_one_line_a_request_and_nothing_secret_in_it(aiohttp_client, settings, png, kept):
    client = await aiohttp_client(create_app(replace(settings, api_key="key-that-is-secret")))
    key = {"Authorization": "Bearer key-that-is-secret"}
    await client.get("/api/pipelines?serverUrl=http://127.0.0.1:9/secret-query", headers=key)
    await client.get("/api/jobs/secret-path-of-a-user", headers=key)
    await client.get("/api/jobs")
    lines = kept.access()
    assert [(line["method"], line["route"], line["status"]) for line in lines] == [
        ("GET", "/api/pipelines", 500),
        ("GET", "/api/jobs/{id}", 404),
        ("GET", "/api/jobs", 401),
    ]
    assert lines[0]["key"] == "default"
    assert all(line["ms"] >= 0 and OWN.fullmatch(line["request_id"]) for line in lines)
    assert "secret" not in str(lines)


async def test_texts_of_users_are_not_logged(client, upload, kept):
    asked = {"imageUrl": await upload(), **QUICK, "text": "a private wish: zoom in"}
    job = await posted(client, asked)
    await when(client, job["id"], "succeeded")
    await client.post("/api/generate", data={"text": "a private wish", "strange": "private"})
    assert kept.lines
    assert "private" not in str(kept.lines)


async def test_what_machines_ask_all_the_time_is_not_told_at_info(client, kept):
    for path in ("/api/health", "/api/ready", "/metrics"):
        await client.get(path)
    assert {line["level"] for line in kept.access()} == {"debug"}
    await client.get("/api/jobs")
    assert kept.access()[-1]["level"] == "info"


async def test_events_are_one_line_at_their_end(client, upload, kept):
    job = await posted(client, {"imageUrl": await upload(), **QUICK})
    async with client.get(f"/api/jobs/{job['id']}/events") as response:
        assert response.headers["X-Request-Id"]
        await response.read()
    lines = [line for line in kept.access() if line["route"] == "/api/jobs/{id}/events"]
    assert [line["status"] for line in lines] == [200]


def record(message="made", level=logging.INFO, **extra):
    made = logging.LogRecord("sidecar.x", level, __file__, 1, message, (), None)
    made.__dict__.update(extra)
    assert _name_ids(made)
    return made


def test_a_line_for_machines_is_one_object_with_a_time_in_utc():
    with about("r1", "j1"):
        line = JsonLines().format(record('two\nlines "quoted"', key="studio", other="x"))
    assert "\n" not in line
    read = json.loads(line)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", read.pop("time"))
    assert read == {
        "level": "info",
        "logger": "sidecar.x",
        "message": 'two\nlines "quoted"',
        "request_id": "r1",
        "job_id": "j1",
        "key": "studio",
    }
    assert REQUEST_ID.get() == ""


def test_a_traceback_stays_in_its_object():
    made = record("failed", logging.ERROR)
    try:
        raise ValueError("why")
    except ValueError as error:
        made.exc_info = (ValueError, error, error.__traceback__)
    read = json.loads(JsonLines().format(made))
    assert "ValueError: why" in read["exception"]


def test_a_line_for_people_ends_with_the_ids_it_does_not_say():
    formatter = TextLines("%(levelname)s: %(message)s")
    with about("r1", "j1"):
        line = formatter.format(record("job j1: made"))
    assert line == "INFO: job j1: made [request=r1]"
    assert formatter.format(record("plain")) == "INFO: plain"


def test_nobody_forges_a_line_for_people():
    line = TextLines("%(message)s").format(record("GET /a\nERROR forged\x1b[2J\u202e"))
    assert "\n" not in line
    assert "\x1b" not in line
    assert line == "GET /a\\nERROR forged\\x1b[2J\\u202e"
