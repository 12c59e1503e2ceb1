"""The pack's own routes, on an aiohttp server that has them as ComfyUI would."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import promptreel
import pytest
import tomli
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from promptreel.engine.by_hand import moves
from promptreel.families import FAMILIES
from promptreel.routes import SUBJECTS, register
from promptreel.routes.answers import MAX_BODY
from promptreel.routes.path import SAMPLES

Client = TestClient[web.Request, web.Application]
SCENE, PATH, TAKE = "/promptreel/scene", "/promptreel/path", "/promptreel/take"
SIZE = {"width": 900, "height": 600}


def _server() -> SimpleNamespace:
    """What ComfyUI's PromptServer has at the time when packs are loaded."""
    return SimpleNamespace(routes=web.RouteTableDef())


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    server = _server()
    register(server)
    app = web.Application()
    app.add_routes(server.routes)
    async with TestClient(TestServer(app)) as client:
        yield client


async def _ask(client: Client, path: str, body: Any, status: int = 200) -> Any:
    answer = await client.post(path, json=body)
    told = await answer.json()
    assert answer.status == status, told
    return told


async def _sentence(client: Client, path: str, body: Any) -> str:
    told = await _ask(client, path, body, 400)
    assert list(told) == ["error"]
    assert told["error"].endswith(".")
    assert "\n" not in told["error"]
    return told["error"]


def test_registering_twice_or_nowhere_adds_nothing_more():
    server = _server()
    register(server)
    register(server)
    register(None)
    assert len(server.routes) == sum(map(len, SUBJECTS))
    assert all(route.path.startswith("/promptreel/") for rows in SUBJECTS for route in rows)


async def test_boot_tells_the_version_and_which_run_this_is(client: Client):
    told = [await (await client.get("/promptreel/boot")).json() for _ in range(2)]
    text = (Path(promptreel.__file__).parent / "pyproject.toml").read_text(encoding="utf-8")
    assert told[0]["version"] == tomli.loads(text)["project"]["version"]
    assert str(uuid.UUID(told[0]["boot"])) == told[0]["boot"]
    assert told[0] == told[1]


async def test_scene_says_what_was_understood(client: Client):
    told = await _ask(client, SCENE, {"text": "slowly pan left, night, 4 seconds"})
    assert told["understood"] == "The camera slowly pans left; night look; 4 seconds."
    assert (told["seconds"], told["look"], told["note"]) == (4, ["night"], "")
    assert [(move["kind"], move["shot"]) for move in told["moves"]] == [("pan_left", 0)]
    assert {"prompt", "negative", "explicitCamera"} <= told.keys()


@pytest.mark.parametrize(
    ("language", "word"), [("ru", "Камера"), ("zh", "The camera"), ("en", "The")]
)
async def test_scene_speaks_the_asked_language(client: Client, language: str, word: str):
    told = await _ask(client, SCENE, {"text": "pan left", "language": language})
    assert told["understood"].startswith(word)


async def test_camera_that_nobody_asked_for_is_noted_in_the_asked_language(client: Client):
    english = await _ask(client, SCENE, {"text": "a cat", "language": "en"})
    russian = await _ask(client, SCENE, {"text": "a cat", "language": "ru-RU"})
    assert english["note"].isascii()
    assert english["note"]
    assert not russian["note"].isascii()


async def test_cameras_by_hand_follow_the_text(client: Client):
    row = {"move": "tilt_up", "strength": 0.5, "seconds": 0, "mode": "then"}
    told = await _ask(client, SCENE, {"text": "pan left", "cameras": [row, {"move": "static"}]})
    assert told["moves"] == []
    told = await _ask(client, SCENE, {"text": "pan left", "cameras": [row]})
    assert [move["kind"] for move in told["moves"]] == ["pan_left", "tilt_up"]


async def test_path_goes_from_start_to_end_within_the_picture(client: Client):
    told = await _ask(client, PATH, {"text": "push in", **SIZE, "aspect": "16:9"})
    frames = told["frames"]
    assert [len(frames), frames[0]["t"], frames[-1]["t"]] == [SAMPLES, 0, 1]
    assert all(-1e-4 <= at <= 1 + 1e-4 for f in frames for corner in f["corners"] for at in corner)
    widths = [f["corners"][1][0] - f["corners"][0][0] for f in frames]
    assert widths[0] > widths[-1]


@pytest.mark.parametrize("kind", [move for move in moves() if move != "static"])
async def test_path_of_every_move(client: Client, kind: str):
    rows = [{"kind": kind, "strength": 1, "shot": 0, "seconds": None}]
    told = await _ask(client, PATH, {"moves": rows, **SIZE, "seconds": 3})
    assert told["seconds"] == 3
    assert told["frames"][0] != told["frames"][-1]


async def test_path_of_moves_is_that_of_their_text(client: Client):
    text = "first push in slowly for 2 seconds, then pan left"
    scene = await _ask(client, SCENE, {"text": text})
    by_text = await _ask(client, PATH, {"text": text, **SIZE, "seconds": 6})
    by_moves = await _ask(client, PATH, {"moves": scene["moves"], **SIZE, "seconds": 6})
    assert by_text == by_moves


async def test_path_takes_a_frame_of_any_shape(client: Client):
    for aspect in (0.5, 1, 2.39, "9:16", "source"):
        told = await _ask(client, PATH, {"text": "pan left", **SIZE, "aspect": aspect})
        corners = told["frames"][0]["corners"]
        wide, high = corners[1][0] - corners[0][0], corners[3][1] - corners[0][1]
        assert wide * 900 / (high * 600) == pytest.approx(told["aspect"], rel=0.01)


@pytest.mark.parametrize(
    "body",
    [
        [],
        None,
        {},
        {"text": ""},
        {"text": " \n"},
        {"text": 5},
        {"text": "x", "language": 5},
        {"text": "x", "cameras": "no"},
        {"text": "x", "cameras": [1]},
        {"text": "x", "cameras": [{}] * 33},
        {"text": "x", "cameras": [{"move": "nowhere"}]},
        {"text": "x", "cameras": [{"move": "pan_left", "mode": "never"}]},
        {"text": "x", "cameras": [{"move": "pan_left", "strength": "much"}]},
    ],
)
async def test_scene_refuses_in_one_sentence(client: Client, body: Any):
    assert await _sentence(client, SCENE, body)


@pytest.mark.parametrize(
    "wrong",
    [
        {"width": 0},
        {"height": "600"},
        {"width": True},
        {"width": 10**400},
        {"width": 10**6},
        {"aspect": "5:5"},
        {"aspect": []},
        {"seconds": "long"},
        {"moves": [{"kind": "nowhere"}]},
        {"moves": [{}] * 65},
    ],
)
async def test_path_refuses_in_one_sentence(client: Client, wrong: Any):
    assert await _sentence(client, PATH, {"text": "push in", **SIZE, **wrong})


@pytest.mark.parametrize("data", [b"", b"{", b"\xff", b"[" * 100_000, b'{"text":NaN}'])
async def test_what_is_no_json_is_refused(client: Client, data: bytes):
    answer = await client.post(SCENE, data=data)
    assert answer.status == 400
    assert (await answer.json())["error"].endswith(".")


async def test_long_body_is_refused_and_a_long_text_holds_up_nobody(client: Client):
    answer = await client.post(SCENE, data=b" " * (MAX_BODY + 1))
    assert answer.status == 400
    long = asyncio.create_task(_ask(client, SCENE, {"text": "pan left, " * 15_000}))
    await asyncio.sleep(0.05)
    await asyncio.wait_for(_ask(client, SCENE, {"text": "pan left"}), 5)
    await long


async def test_take_says_what_a_model_makes_otherwise(client: Client):
    asked = {"loader": "PromptReelWan22Model", "width": 1000, "height": 555}
    told = await _ask(client, TAKE, {**asked, "text": "pan left, 12 seconds"})
    assert told["model"].startswith("Wan 2.2")
    assert (told["size"], told["seconds"]) == ([1008, 560], 12)
    assert told["longest"] == pytest.approx(81 / 16, abs=0.01)
    told = await _ask(client, TAKE, {**asked, "text": "pan left, 90 seconds"})
    assert told["seconds"] == 90, "as the node tells it, not cut to what a video may have"
    told = await _ask(client, TAKE, {"loader": "PromptReelLTXVModel", "text": " "})
    assert (told["size"], told["seconds"]) == (None, 0)


@pytest.mark.parametrize(
    "wrong",
    [{"loader": "PromptReelSDModel"}, {"loader": 5}, {"files": 3}, {"fps": "x"}, {"width": "x"}],
)
async def test_take_refuses_in_one_sentence(client: Client, wrong: Any):
    assert await _sentence(client, TAKE, {"loader": "PromptReelWan22Model", **wrong})


async def test_take_knows_every_video_model(client: Client):
    for family in FAMILIES.values():
        told = await _ask(client, TAKE, {"loader": family.node_id, "fps": 1e9, "width": 1e9})
        assert told["longest"] > 0
