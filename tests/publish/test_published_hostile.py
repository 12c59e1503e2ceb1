"""What somebody may put into ComfyUI's user folder by hand: no file of it harms the service."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from promptreel.publish.shelf import MOST

from sidecar.backends import published
from sidecar.backends.published import LONGEST
from tests.fake_comfy import GRAPH, FakeComfy
from tests.publish.given import MANIFEST, generate, listing, names, served
from tests.waiting import found

FILES = {"graph.json": GRAPH, "pipeline.json": MANIFEST}


@pytest.fixture
async def fake() -> AsyncIterator[FakeComfy]:
    async with FakeComfy() as fake:
        yield fake


def _with(name: str, param: dict, literal: str = "") -> bytes:
    """Return a manifest with a parameter; "@" in it is the literal, which `json` can't write."""
    mapping = {**MANIFEST["mapping"], name: [["2", "seed"]]}
    text = json.dumps({**MANIFEST, "params": {name: param}, "mapping": mapping})
    return text.replace('"@"', literal).encode()


def _graph(literal: str, widget: str = "more") -> bytes:
    inputs = {**GRAPH["2"]["inputs"], widget: "@"}
    graph = {**GRAPH, "2": {**GRAPH["2"], "inputs": inputs}}
    return json.dumps(graph).replace('"@"', literal).encode()


def _nested(depth: int) -> str:
    return "[" * depth + "]" * depth


def _not_json(word: str) -> Any:
    raise AssertionError(f"{word} is no JSON")


WRONG = {
    "a default beyond all numbers": {
        "pipeline.json": _with("z", {"type": "integer", "default": "@"}, "9" * 400)
    },
    "a limit that is infinite": {
        "pipeline.json": _with("z", {"type": "integer", "maximum": "@"}, "1e999")
    },
    "a limit beyond all numbers": {
        "pipeline.json": _with("z", {"type": "number", "minimum": "@"}, "-" + "9" * 400)
    },
    "help that is no text": {"pipeline.json": _with("z", {"type": "integer", "help": {"a": 1}})},
    "a widget that is infinite": {"graph.json": _graph("1e999")},
    "a graph too deep to write": {"graph.json": _graph(_nested(988))},
    "a graph too deep to copy": {"graph.json": _graph(_nested(400))},
    "a manifest too deep": {
        "pipeline.json": _with("z", {"type": "integer", "help": "@"}, _nested(400))
    },
    "half a character": {"pipeline.json": {**MANIFEST, "title": "\ud800"}},
    "a request's own word": {"pipeline.json": _with("imageUrl", {"type": "string", "maximum": 3})},
    "a model of all sizes": {
        "pipeline.json": {**MANIFEST, "models": [{"name": "a", "folder": "b", "bytes": 10**400}]}
    },
    "a key that fills the answer": {"pipeline.json": {**MANIFEST, "k\n" * 20_000: 1}},
    "a node that fills the log": {
        "pipeline.json": {**MANIFEST, "mapping": {"image": [["\n", "x"]]}}
    },
}


@pytest.mark.parametrize("files", WRONG.values(), ids=WRONG)
async def test_it_is_told_and_all_else_goes_on(aiohttp_client, tmp_path, fake, files):
    fake.user.publish("bad", {**FILES, **files})
    fake.user.publish("good", FILES)
    service = await served(aiohttp_client, tmp_path, fake.url)
    for path in ("/api/pipelines", "/api/openapi.json"):
        answer = await service.get(path)
        assert answer.status == 200
        json.loads(await answer.text(), parse_constant=_not_json)
    (row,) = (await listing(service))["unusable"]
    assert row["name"] == "bad"
    assert row["reason"].isprintable()
    assert len(row["reason"]) <= LONGEST + len("...")
    status, answer = await generate(service, comfyPipeline="bad")
    assert (status, answer["code"]) == (400, "unknown_pipeline")
    status, answer = await generate(service, comfyPipeline="good")
    assert status == 200, answer


async def test_a_widget_beyond_all_numbers_is_left_as_it_is(aiohttp_client, tmp_path, fake):
    fake.user.publish("odd", {**FILES, "graph.json": _graph("9" * 400, "seed")})
    service = await served(aiohttp_client, tmp_path, fake.url)
    (row,) = [one for one in (await listing(service))["pipelines"] if one["name"] == "odd"]
    assert row["parameters"][0]["default"] is None


async def test_a_text_has_limits_below_too(aiohttp_client, tmp_path, fake):
    manifest = _with("z", {"type": "string", "minimum": 5})
    fake.user.publish("odd", {**FILES, "pipeline.json": manifest})
    service = await served(aiohttp_client, tmp_path, fake.url)
    status, answer = await generate(service, comfyPipeline="odd", z="x")
    assert (status, answer["fields"]) == (400, {"z": "must have at least 5 characters"})


async def test_of_thousands_few_are_told(aiohttp_client, tmp_path, fake):
    for number in range(3000):
        fake.user.publish(f"p{number:04}", FILES)
    service = await served(aiohttp_client, tmp_path, fake.url)

    async def there() -> bool:
        return len(await names(service)) == MOST

    await found(there, 10)
    assert len((await listing(service))["unusable"]) == MOST


async def test_a_fault_in_the_reading_of_one_leaves_the_others(
    aiohttp_client, tmp_path, fake, monkeypatch
):
    read = published.publish

    def faulty(pipeline, manifest):
        return read(pipeline, {}[pipeline.title] if pipeline.name == "bad" else manifest)

    monkeypatch.setattr(published, "publish", faulty)
    fake.user.publish("bad", FILES)
    fake.user.publish("good", FILES)
    service = await served(aiohttp_client, tmp_path, fake.url)
    (row,) = (await listing(service))["unusable"]
    assert (row["name"], row["reason"].partition(":")[0]) == ("bad", "it can't be read")
    assert (await generate(service, comfyPipeline="good"))[0] == 200
