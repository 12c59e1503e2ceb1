"""POST /api/scene: how a text is understood."""

from __future__ import annotations

import pytest

from tests.service import refusal


async def ask(client, **fields):
    return await client.post("/api/scene", json=fields)


async def test_a_text_is_told_as_it_is_understood(client):
    response = await ask(client, text="Slow push in, then pan left. A cat. Sunset. 6 seconds.")
    assert response.status == 200
    scene = await response.json()
    assert scene["understood"].startswith("The camera slowly moves forward")
    assert [(move["kind"], move["shot"]) for move in scene["moves"]] == [
        ("dolly_in", 0),
        ("pan_left", 1),
    ]
    assert (scene["look"], scene["seconds"]) == (["sunset"], 6)
    assert "cat" in scene["prompt"]
    assert scene["explicitCamera"]


@pytest.mark.parametrize(
    ("fields", "begins"),
    [
        ({"text": "pan left", "language": "ru"}, "\u041a\u0430\u043c\u0435\u0440\u0430"),
        ({"text": "\u043d\u0430\u0435\u0437\u0434"}, "\u041a\u0430\u043c\u0435\u0440\u0430"),
        ({"text": "\u043d\u0430\u0435\u0437\u0434", "language": "en"}, "The camera"),
        ({"text": "a cat"}, "The camera"),
    ],
)
async def test_in_the_language_asked_for_or_that_of_the_text(client, fields, begins):
    assert (await (await ask(client, **fields)).json())["understood"].startswith(begins)


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({}, "missing_field"),
        ({"text": " \u200b "}, "missing_field"),
        ({"text": "pan", "sedonds": "3"}, "unknown_field"),
        ({"text": "pan", "sedonds": " "}, "unknown_field"),
        ({"text": "pan", "": None}, "unknown_field"),
        ({"text": "pan", "language": "de"}, "invalid_request"),
        ({"text": "pan", "negative": False}, "invalid_request"),
        ({"text": 5}, "invalid_request"),
        ({"text": "x" * 200_001}, "invalid_request"),
        ({"text": "pan", "negative": "x" * 200_001}, "invalid_request"),
    ],
)
async def test_what_is_wrong_is_refused(client, fields, code):
    assert (await refusal(await ask(client, **fields)))["code"] == code


async def test_a_long_text_holds_nobody_up(client):
    """The loop is watched by the fixture `never_blocking`; the engine reads in a thread."""
    response = await ask(client, text="pan left, then a cat. " * 3000)
    assert response.status == 200


async def test_null_counts_as_not_sent(client):
    assert (await ask(client, text="pan left", language=None, negative=None)).status == 200


async def test_a_video_is_asked_for_by_texts_too(client):
    wrong: tuple[dict[str, object], ...] = ({"text": True}, {"negative": 1}, {"imageUrl": 2.5})
    for fields in wrong:
        asked = {"imageUrl": "data:,", "text": "pan", **fields}
        body = await refusal(await client.post("/api/generate", json=asked))
        assert body["fields"] == dict.fromkeys(fields, "must be a text")


@pytest.mark.parametrize("path", ["/api/scene", "/api/generate"])
async def test_half_a_character_is_no_text(client, path):
    """JSON can hold what no file and no database takes."""
    body = b'{"imageUrl": "data:,", "text": "\\ud800"}'
    response = await client.post(path, data=body, headers={"Content-Type": "application/json"})
    assert (await refusal(response))["fields"] == {"text": "not valid Unicode"}
