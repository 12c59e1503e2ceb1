"""A picture's server that lies, floods, dawdles or leads on: one sentence in time, nothing kept."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace

import pytest

from sidecar.app import create_app
from tests.hostile.addresses import HOSTS, V4, V6
from tests.hostile.evil import DEEDS, Evil, zip_bomb
from tests.service import picture_form, refusal
from tests.waiting import eventually

SECONDS = 1.0  # that a fetch may take
ELSEWHERE = (
    "file:///etc/passwd",
    "gopher://127.0.0.1:{trap}/",
    "ftp://127.0.0.1:{trap}/",
    "data:image/png;base64,AAAA",
    "javascript:alert(1)",
    "http://user:secret@pictures.test:{port}/page",
    "//127.0.0.1:{trap}/",
    "http://127.0.0.1:{trap}/",
    "HTTP://LOCALHOST:{trap}/",
    "http://inside.test:{trap}/",
    "http://pictures.test.:{trap}/",
    "http://pictures.test@127.0.0.1:{trap}/",
    "http:127.0.0.1:{trap}",
    "http://",
    "http://[",
    "?",
    "\x00",
)


@pytest.fixture
async def evil(names):
    names.says("pictures.test", ["127.0.0.1"])
    names.says("inside.test", ["127.0.0.1"])
    names.says("pictures.test.", ["127.0.0.1"])
    async with Evil().serving() as serving:
        yield serving


@pytest.fixture
def settings(settings):
    return replace(settings, fetch_seconds=SECONDS, max_upload_mb=2.0)


async def test_the_bomb_is_one():
    assert len(zip_bomb()) < 2 * 2**20


@pytest.mark.parametrize("deed", DEEDS)
async def test_no_answer_hurts(client, generate, files, evil, deed):
    begun = time.monotonic()
    address = f"http://pictures.test:{evil.port}/{deed}"
    body = await refusal(await generate(imageUrl=address))
    assert body["fields"].keys() == {"imageUrl"}
    assert "script" not in str(body)
    assert evil.seen
    assert time.monotonic() - begun < SECONDS + 2
    assert files() == []
    await eventually(lambda: evil.open == 0)  # the connection was let go


async def test_no_redirect_leads_inside(client, generate, files, evil, tried, trap):
    literals = [f"http://{host}:{{trap}}/" for host in HOSTS]
    for target in (*ELSEWHERE, *literals):
        to = target.format(trap=trap.port, port=evil.port)
        body = await refusal(await generate(imageUrl=f"http://pictures.test:{evil.port}/to/{to}"))
        reached = tried.beyond(client.port, evil.port)
        assert (ascii(to), reached, trap.hits) == (ascii(to), [], 0)
        assert body["code"] == "image_not_fetched"
    assert files() == []


async def test_a_redirect_to_a_name_that_turned_private_is_refused(
    client, generate, evil, names, tried, trap
):
    for private in (*V4, *V6):
        names.says("turning.test", ["127.0.0.1", private])
        names.says("pictures.test", ["127.0.0.1"], [private])
        first = f"http://pictures.test:{evil.port}/to/http://turning.test:{trap.port}/"
        await refusal(await generate(imageUrl=first))
    assert (tried.beyond(client.port, evil.port), trap.hits) == ([], 0)


async def test_chains_end_and_nothing_is_carried_along(client, generate, evil):
    base = f"http://pictures.test:{evil.port}"
    await refusal(await generate(imageUrl=base + f"/to/{base}" * 3 + "/page"))
    assert len(evil.seen) == 4
    for head in evil.seen:
        assert "cookie" not in head.lower()
        assert "authorization" not in head.lower()
        assert "referer" not in head.lower()
    evil.seen.clear()
    body = await refusal(await generate(imageUrl=f"{base}/loop"))
    assert "redirects too often" in body["error"]
    assert len(evil.seen) <= 6


async def test_many_dawdling_servers_do_not_keep_others_out(aiohttp_client, settings, evil, png):
    """Places for pictures under way are few: who waits for one hears 429 and when to come back."""

    client = await aiohttp_client(create_app(replace(settings, max_uploads=2)))
    fields = {"text": "x", "imageUrl": f"http://pictures.test:{evil.port}/slow-body"}
    slow = [asyncio.ensure_future(client.post("/api/generate", data=fields)) for _ in range(2)]
    await eventually(lambda: evil.open == 2)
    refused = await client.post("/api/upload", data=picture_form(png))
    assert (await refusal(refused, 429))["code"] == "too_many_uploads"
    for answer in await asyncio.gather(*slow):
        await refusal(answer)
    assert (await client.post("/api/upload", data=picture_form(png))).status == 200
