"""The routes of "Publish as pipeline", on an aiohttp server that has them as ComfyUI would."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from promptreel.publish.manifest import load_pipeline
from promptreel.routes import register
from promptreel.routes.pipelines import LONGEST, MOST_BODY

from tests.fake_comfy import GRAPH

ROOT = Path(__file__).parents[2]
PIPELINES = "/promptreel/pipelines"
Client = TestClient[web.Request, web.Application]
MOTION = json.loads((ROOT / "workflows" / "camera-motion" / "graph.json").read_text("utf-8"))
SEEDED = {"image": [["1", "image"]], "text": [], "seed": [["2", "seed"]]}


def _stored(folder: Path) -> list[Path]:
    return list(folder.rglob("*.json"))


class Users:
    """What the routes ask of ComfyUI's user manager, with one user in one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def get_request_user_filepath(
        self, request: web.Request, _file: None, create_dir: bool = True
    ) -> str:
        if request.headers.get("comfy-user", "default") != "default":
            raise KeyError("Unknown user")
        return str(self.folder)


@pytest.fixture
async def client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Client]:
    server = SimpleNamespace(routes=web.RouteTableDef(), user_manager=Users(tmp_path))
    module = ModuleType("server")
    module.PromptServer = SimpleNamespace(instance=server)  # pyright: ignore[reportAttributeAccessIssue]
    monkeypatch.setitem(sys.modules, "server", module)
    register(server)
    app = web.Application()
    app.add_routes(server.routes)
    async with TestClient(TestServer(app)) as client:
        yield client


async def _ask(client: Client, method: str, path: str, body: Any = None, status: int = 200) -> Any:
    sent = {"json": body} if body is not None else {}
    answer = await client.request(method, path, **sent)
    told = await answer.json()
    assert answer.status == status, told
    return told


async def _refused(client: Client, path: str, body: Any, status: int = 400) -> str:
    told = await _ask(client, "POST", path, body, status)
    assert told["error"][-1] in ".?:"
    assert "--set" not in told["error"]
    assert "\n" not in told["error"]
    return told["error"]


async def test_read_finds_what_our_own_workflow_takes(client: Client):
    told = await _ask(client, "POST", f"{PIPELINES}/read", {"graph": MOTION})
    assert told["ok"] is True
    assert told["questions"] == []
    names = [row["name"] for row in told["findings"]]
    assert names[:5] == ["image", "text", "negative", "seed", "seconds"]
    assert all(row["certain"] and row["slots"] in row["candidates"] for row in told["findings"])
    assert told["outputs"]["video"]["certain"]
    assert {row["name"] for row in told["parameters"]} >= {"seed", "seconds", "aspect"}


async def test_read_asks_what_it_can_not_know_and_takes_the_answer(client: Client):
    graph = {
        **GRAPH,
        "3": {"class_type": "CLIPTextEncode", "inputs": {"text": "a cat", "clip": ["4", 1]}},
        "4": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "a.safetensors"}},
        "5": {"class_type": "LoadImage", "inputs": {"image": "b.png"}},
        "2": {
            "class_type": "WanImageToVideo",
            "inputs": {"start_image": ["6", 0], "positive": ["3", 0], "seed": 1},
        },
        "6": {"class_type": "ImageBatch", "inputs": {"image": ["1", 0], "other": ["5", 0]}},
    }
    told = await _ask(client, "POST", f"{PIPELINES}/read", {"graph": graph})
    assert told["ok"] is False
    image = told["findings"][0]
    assert image["question"]
    assert {"1", "5"} == {slots[0][0] for slots in image["candidates"]}
    assert told["questions"][0]["choices"] == image["candidates"]
    told = await _ask(
        client,
        "POST",
        f"{PIPELINES}/read",
        {"graph": graph, "mapping": {"image": [["5", "image"]], "text": [["3", "text"]]}},
    )
    image = told["findings"][0]
    assert (told["ok"], image["certain"], image["slots"]) == (True, True, [["5", "image"]])
    assert image["value"] == "b.png"
    refused = await _ask(client, "POST", PIPELINES, {"name": "x", "graph": graph}, 422)
    assert refused["questions"][0]["name"] == "image"


async def test_a_choice_goes_before_what_a_request_says(client: Client):
    chosen = {"text": [["1", "negative"]], "seed": []}
    told = await _ask(client, "POST", f"{PIPELINES}/read", {"graph": MOTION, "mapping": chosen})
    found = {row["name"]: row["slots"] for row in told["findings"]}
    assert told["ok"]
    assert (found["text"], found["seed"], found["negative"]) == ([["1", "negative"]], [], [])
    body = {"name": "mine", "graph": MOTION, "mapping": chosen}
    await _ask(client, "POST", PIPELINES, body, 201)
    whole = await _ask(client, "GET", f"{PIPELINES}/mine")
    assert whole["mapping"]["text"] == [["1", "negative"]]
    assert (whole["mapping"]["seed"], whole["mapping"]["negative"]) == ([], [])
    assert whole["mapping"]["image"] == [["1", "image"]]
    assert not {"seed", "negative"} & {row["name"] for row in whole["parameters"]}


async def test_one_widget_is_not_for_two(client: Client):
    mapping = {"text": [["1", "negative"]], "negative": [["1", "negative"]]}
    said = await _refused(client, f"{PIPELINES}/read", {"graph": MOTION, "mapping": mapping})
    assert "both text and negative" in said


async def test_a_place_taken_by_a_choice_is_taken_from_what_was_found(client: Client):
    graph = {**GRAPH, "3": {"class_type": "PrimitiveInt", "inputs": {"value": 3}}}
    body = {"graph": graph, "mapping": {"text": [], "strength": [["2", "seed"]]}}
    told = await _ask(client, "POST", f"{PIPELINES}/read", body)
    found = {row["name"]: row["slots"] for row in told["findings"]}
    assert found["strength"] == [["2", "seed"]]
    assert not found.get("seed")


async def test_two_outputs_are_a_question(client: Client):
    graph = {**GRAPH, "10": GRAPH["9"]}
    told = await _ask(client, "POST", f"{PIPELINES}/read", {"graph": graph})
    video = told["outputs"]["video"]
    assert (video["node"], video["candidates"], video["certain"]) == (None, ["9", "10"], False)
    body = {"graph": graph, "outputs": {"video": "10"}, "mapping": {"text": []}}
    told = await _ask(client, "POST", f"{PIPELINES}/read", body)
    assert told["outputs"]["video"]["node"] == "10"


async def test_published_listed_bound_replaced_removed(client: Client, tmp_path: Path):
    body = {"name": "mine", "title": "Mine", "graph": GRAPH, "mapping": SEEDED}
    row = await _ask(client, "POST", PIPELINES, body, 201)
    assert (row["name"], row["title"], row["usable"], row["error"]) == ("mine", "Mine", True, "")
    stored = load_pipeline(tmp_path / "promptreel" / "pipelines" / "mine")
    assert (stored.title, stored.video_output) == ("Mine", "9")
    assert [r["name"] for r in (await _ask(client, "GET", PIPELINES))["pipelines"]] == ["mine"]
    whole = await _ask(client, "GET", f"{PIPELINES}/mine")
    assert whole["graph"] == GRAPH
    assert whole["mapping"] == SEEDED
    values = {"image": "b.png", "text": "x", "seed": 5}
    bound = await _ask(client, "POST", f"{PIPELINES}/mine/bind", {"values": values})
    assert bound["graph"]["1"]["inputs"]["image"] == "b.png"
    assert bound["graph"]["2"]["inputs"]["seed"] == 5
    await _refused(client, PIPELINES, body, 409)
    await _ask(client, "POST", PIPELINES, {**body, "title": "New", "replace": True}, 201)
    assert (await _ask(client, "GET", f"{PIPELINES}/mine"))["title"] == "New"
    assert await _ask(client, "DELETE", f"{PIPELINES}/mine") == {"name": "mine", "removed": True}
    await _ask(client, "DELETE", f"{PIPELINES}/mine", status=404)
    await _ask(client, "GET", f"{PIPELINES}/mine", status=404)


@pytest.mark.parametrize(
    "values",
    [
        None,
        {},
        {"text": "x"},
        {"image": 5},
        {"image": "a.png", "text": 5},
        {"image": "a.png", "seed": "many"},
        {"image": "a.png", "seed": -1},
        {"image": "a.png", "seed": True},
        {"image": "a.png", "unknown": 1},
    ],
)
async def test_wrong_values_are_refused(client: Client, values: Any):
    body = {"name": "mine", "graph": GRAPH, "mapping": SEEDED}
    await _ask(client, "POST", PIPELINES, body, 201)
    assert await _refused(client, f"{PIPELINES}/mine/bind", {"values": values})


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": "../evil"},
        {"name": ""},
        {"name": 5},
        {"title": "x" * (LONGEST["title"] + 1)},
        {"title": "\ud800"},
        {"graph": []},
        {"graph": {}},
        {"graph": {"nodes": [], "links": []}},
        {"graph": {"1": {"class_type": "SaveVideo", "inputs": {"video": ["7", 0]}}}},
        {"graph": {"1": {"class_type": "LoadImage", "inputs": {"image": "a.png"}}}},
        {"mapping": []},
        {"mapping": {"image": "1"}},
        {"mapping": {"image": [["1", "nope"]]}},
        {"mapping": {"image": [["2", "image"]]}},
        {"mapping": {"image": []}},
        {"mapping": {"serverUrl": [["2", "seed"]]}},
        {"mapping": {"a b": [["2", "seed"]]}},
        {"outputs": {"video": "77"}},
        {"outputs": {"video": 5}},
    ],
)
async def test_what_is_no_pipeline_is_refused_in_one_sentence(
    client: Client, tmp_path: Path, wrong: Any
):
    body = {"name": "mine", "graph": GRAPH, "mapping": SEEDED, **wrong}
    assert await _refused(client, PIPELINES, body)
    assert _stored(tmp_path) == []


async def test_a_body_without_end_is_refused(client: Client):
    data = b'{"graph": "' + b"x" * MOST_BODY + b'"}'
    headers = {"Content-Type": "application/json"}
    answer = await client.post(f"{PIPELINES}/read", data=io.BytesIO(data), headers=headers)
    assert answer.status == 400


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site", "Origin": "http://127.0.0.1"},
    ],
)
async def test_pages_of_other_sites_get_nothing(client: Client, tmp_path: Path, headers: Any):
    body = {"name": "mine", "graph": GRAPH, "mapping": SEEDED}
    answers = [
        await client.post(PIPELINES, json=body, headers=headers),
        await client.delete(f"{PIPELINES}/mine", headers=headers),
        await client.post("/promptreel/sidecar", json={"run": True}, headers=headers),
    ]
    assert [answer.status for answer in answers] == [403, 403, 403]
    assert _stored(tmp_path) == []


@pytest.mark.parametrize(("listen", "host"), [("0.0.0.0,::", ""), ("127.0.0.1", "evil.example")])
async def test_who_comes_from_other_machines_starts_nothing(
    client: Client, monkeypatch: pytest.MonkeyPatch, listen: str, host: str
):
    monkeypatch.delenv("PROMPTREEL_PANEL_SIDECAR", raising=False)
    arguments = ModuleType("comfy.cli_args")
    arguments.args = SimpleNamespace(listen=listen)  # pyright: ignore[reportAttributeAccessIssue]
    monkeypatch.setitem(sys.modules, "comfy.cli_args", arguments)
    headers = {"Host": host} if host else {}
    answer = await client.post("/promptreel/sidecar", json={"run": False}, headers=headers)
    assert answer.status == 403
    assert "PROMPTREEL_PANEL_SIDECAR=1" in (await answer.json())["error"]
    monkeypatch.setenv("PROMPTREEL_PANEL_SIDECAR", "1")
    answer = await client.post("/promptreel/sidecar", json={"run": False}, headers=headers)
    assert (answer.status, (await answer.json())["state"]) == (200, "stopped")


async def test_jobs_of_no_service_are_a_sentence(client: Client):
    answer = await client.get("/promptreel/sidecar/jobs")
    assert answer.status == 409
    assert (await answer.json())["error"].endswith(".")


async def test_a_form_is_refused_and_the_own_page_is_not(client: Client):
    text = json.dumps({"graph": MOTION})
    plain = await client.post(
        f"{PIPELINES}/read", data=text, headers={"Content-Type": "text/plain"}
    )
    assert plain.status == 415
    origin = {"Origin": f"http://{client.host}:{client.port}", "Sec-Fetch-Site": "same-origin"}
    own = await client.post(f"{PIPELINES}/read", json={"graph": MOTION}, headers=origin)
    assert own.status == 200


async def test_an_unknown_user_is_told(client: Client):
    answer = await client.get(PIPELINES, headers={"comfy-user": "nobody"})
    assert answer.status == 400
    assert "user" in (await answer.json())["error"]


async def test_every_bundled_workflow_reads_without_a_question(client: Client):
    for path in sorted((ROOT / "workflows").glob("*/graph.json")):
        graph = json.loads(path.read_text("utf-8"))
        told = await _ask(client, "POST", f"{PIPELINES}/read", {"graph": graph})
        assert told["ok"], path.parent.name
