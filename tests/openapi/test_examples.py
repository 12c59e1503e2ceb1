"""The document's examples, sent as they stand; its links, followed; answers held against it."""

from __future__ import annotations

import json

import pytest
from aiohttp import FormData
from yarl import URL

from sidecar.openapi.samples import picture
from tests.openapi.described import operations, validator
from tests.service import picture_form

JSON, MULTIPART = "application/json", "multipart/form-data"
ASYNC = {"Prefer": "respond-async"}


def body_of(kind: str, example: dict) -> dict:
    """Return what the client is told, so that it sends the example as that content type."""
    if kind == JSON:
        return {"json": example}
    form = FormData(default_to_multipart=kind == MULTIPART)
    for name, value in example.items():
        form.add_field(name, str(value))
    return {"data": form}


async def make(checked, **more) -> dict:
    example = checked.document["paths"]["/api/generate"]["post"]["requestBody"]["content"][JSON]
    return await checked.ask("POST", "/api/generate", json=first(example), **more)


def first(media: dict) -> dict:
    return next(iter(media["examples"].values()))["value"]


async def test_each_example_of_a_request_gives_a_job(checked):
    content = checked.document["paths"]["/api/generate"]["post"]["requestBody"]["content"]
    assert set(content) == {JSON, MULTIPART, "application/x-www-form-urlencoded"}
    sent = 0
    for kind, media in content.items():
        for example in media["examples"].values():
            validator(checked.document, media["schema"]).validate(example["value"])
            body = body_of(kind, example["value"])
            await checked.ask("POST", "/api/generate", expect=202, headers=ASYNC, **body)
            sent += 1
    assert sent >= 6


async def test_an_example_becomes_a_video_whose_files_are_as_described(checked):
    made = await make(checked, expect=200)
    assert made["isDemo"]
    for url in (made["image"], made["video"]):
        path = URL(url).path
        whole = await checked.ask("GET", path, expect=200)
        part = await checked.ask("GET", path, expect=206, headers={"Range": "bytes=0-9"})
        assert part == whole[:10]
        await checked.ask("HEAD", path, expect=200)
        etag = (await checked.client.get(path)).headers["ETag"]
        await checked.ask("GET", path, expect=304, headers={"If-None-Match": etag})


@pytest.mark.parametrize("status", [200, 202])
async def test_links_of_an_answer_lead_on(checked, status):
    made = await make(checked, expect=status, headers=ASYNC if status == 202 else {})
    operation = checked.document["paths"]["/api/generate"]["post"]
    links = operation["responses"][str(status)]["links"]
    assert len(links) == 3
    for link in links.values():
        method, path = address(checked.document, link["operationId"])
        pointer = link["parameters"]["id"].partition("#/")[2]
        await checked.ask(method, path.replace("{id}", made[pointer]), expect=200)


def address(document: dict, operation_id: str) -> tuple[str, str]:
    return next(
        (method.upper(), path)
        for method, path, operation in operations(document)
        if operation["operationId"] == operation_id
    )


async def test_the_link_of_an_upload_leads_to_a_video(checked):
    uploaded = await checked.ask("POST", "/api/upload", expect=200, data=picture_form(picture()))
    answers = checked.document["paths"]["/api/upload"]["post"]["responses"]
    body = answers["200"]["links"]["generate"]["requestBody"]
    assert body["imageUrl"] == "$response.body#/imageUrl"
    ask = {**body, "imageUrl": uploaded["imageUrl"], "seconds": 0.5, "resolution": "480p"}
    await checked.ask("POST", "/api/generate", expect=200, json=ask)


async def test_events_are_as_described(checked):
    made = await make(checked, expect=202, headers=ASYNC)
    path = f"/api/jobs/{made['id']}/events"
    text = (await checked.ask("GET", path, expect=200)).decode()
    described = checked.document["paths"]["/api/jobs/{id}/events"]["get"]["x-sse-events"]
    told, last = set(), ""
    for block in text.split("\n\n"):
        lines = dict(line.split(": ", 1) for line in block.split("\n") if line[:1] not in ("", ":"))
        if "event" in lines:
            told.add(lines["event"])
            schema = described[lines["event"]]
            validator(checked.document, schema).validate(json.loads(lines["data"]))
            last = lines["id"]
    assert told == {"status", "progress", "result"}
    await checked.ask("GET", path, expect=204, headers={"Last-Event-ID": last})


async def test_everything_that_can_be_asked_without_more_answers_yes(checked):
    await make(checked, expect=202, headers=ASYNC)
    asked = 0
    for method, path, _ in operations(checked.document):
        if method == "get" and "{" not in path:
            await checked.ask("GET", path, expect=200)
            asked += 1
    assert asked >= 9
    listed = await checked.ask("GET", "/api/jobs?status=queued,running,succeeded&limit=1")
    assert listed["jobs"]
