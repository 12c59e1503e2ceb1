"""A page written only from the contract: its own JavaScript, copied from the document itself.

Run in a real browser from another page of the same origin, and from another origin; the examples
are taken out of the document's text, so that nobody can bend them to the product.
"""

from __future__ import annotations

import base64
import re
from dataclasses import replace
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from playwright.async_api import async_playwright

from sidecar.app import create_app
from tests.needs import chromium

DOCUMENT = Path(__file__).parent / "data" / "api-contract.ru.md"
EXAMPLES = re.findall(r"```javascript\n(.*?)```", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL)
PAGE = "<!doctype html><meta charset=utf-8><title>A front-end</title><video muted></video>"

# What the examples leave to the page: the file of an <input>, and what becomes of the answer.
SCRIPT = """
async (encoded) => {
  const bytes = Uint8Array.from(atob(encoded), (char) => char.charCodeAt(0))
  const file = new File([bytes], '\\u043a\\u043e\\u0442.png', { type: 'image/png' })
  const uploaded = await (async () => {
    %(upload)s
    return { status: response.status, imageUrl }
  })()
  const { imageUrl } = uploaded
  const made = await (async () => {
    %(generate)s
    return { status: response.status, image, video }
  })()
  return { uploaded, made }
}
"""
PLAY = """
async (address) => {
  const player = document.querySelector('video')
  const event = (name) => new Promise((resolve, reject) => {
    player.addEventListener(name, resolve, { once: true })
    player.addEventListener('error', () => reject(player.error.message), { once: true })
  })
  const loaded = event('loadeddata')
  player.src = address
  await loaded
  const places = []
  for (const part of [0.8, 0.1, 0.5]) {
    const sought = event('seeked')
    player.currentTime = player.duration * part
    await sought
    places.push(player.currentTime / player.duration)
  }
  return [player.videoWidth, player.duration, ...places]
}
"""
FAILING = """
async () => {
  const said = []
  for (const [path, fields] of [['/api/upload', {}], ['/api/generate', { text: 'x' }]]) {
    const formData = new FormData()
    for (const name in fields) formData.append(name, fields[name])
    const response = await fetch(BASE + path, { method: 'POST', body: formData })
    said.push([response.status, await response.json()])
  }
  return said
}
"""


def script(base: str = "") -> str:
    """Return the two examples in a function; `base` goes before their paths, and nothing else."""
    upload, generate = (text.replace("fetch('/api", f"fetch('{base}/api") for text in EXAMPLES[:2])
    return SCRIPT % {"upload": upload, "generate": generate}


@pytest.fixture
async def browser():
    program = chromium()
    async with async_playwright() as playwright:
        opened = await playwright.chromium.launch(
            executable_path=program,
            args=["--no-sandbox", "--autoplay-policy=no-user-gesture-required"],
        )
        yield opened
        await opened.close()


@pytest.fixture
async def elsewhere():
    """A front-end of another origin."""

    async def page(_: web.Request) -> web.Response:
        return web.Response(text=PAGE, content_type="text/html")

    app = web.Application()
    app.router.add_get("/", page)
    async with TestServer(app) as server:
        yield str(server.make_url("/")).rstrip("/")


def test_the_document_is_as_it_was_given():
    """Two examples of calls, as the document that front-ends were written from has them."""
    assert len(EXAMPLES) == 2
    assert "fetch('/api/upload', {" in EXAMPLES[0]
    assert "fetch('/api/generate', {" in EXAMPLES[1]
    given = Path(__file__).parents[3] / "shared" / "contract" / DOCUMENT.name
    if given.is_file():
        assert DOCUMENT.read_bytes() == given.read_bytes()


async def judged(page, said: dict, base: str) -> None:
    """Check what the examples got, and that the video plays and seeks."""
    assert said["uploaded"]["status"] == said["made"]["status"] == 200
    for url in (said["uploaded"]["imageUrl"], said["made"]["image"], said["made"]["video"]):
        assert url.startswith(f"{base}/api/files/")
    width, duration, *places = await page.evaluate(PLAY, said["made"]["video"])
    assert width > 0
    assert duration > 1
    assert places == pytest.approx([0.8, 0.1, 0.5], abs=0.05)


@pytest.mark.browser
async def test_a_page_of_the_same_origin(browser, aiohttp_client, settings, png):
    """As a front-end that is served beside the service: by a reverse proxy, under one host."""
    client = await aiohttp_client(create_app(settings))
    base = str(client.make_url("/")).rstrip("/")
    page = await browser.new_page()

    async def unguarded(route) -> None:
        """Answer the page as its own server would: with its own headers."""
        await route.fulfill(body=PAGE, content_type="text/html")

    await page.route("**/front-end", unguarded)
    await page.goto(f"{base}/front-end")
    await judged(page, await page.evaluate(script(), base64.b64encode(png).decode()), base)
    for status, body in await page.evaluate(FAILING.replace("BASE", "''")):
        assert status == 400
        assert isinstance(body["error"], str)
        assert isinstance(body["details"], str)


@pytest.mark.browser
async def test_a_page_of_another_origin_that_is_listed(
    browser, aiohttp_client, settings, png, elsewhere
):
    client = await aiohttp_client(create_app(replace(settings, cors_origins=(elsewhere,))))
    base = str(client.make_url("/")).rstrip("/")
    page = await browser.new_page()
    await page.goto(elsewhere)
    await judged(page, await page.evaluate(script(base), base64.b64encode(png).decode()), base)
    for status, body in await page.evaluate(FAILING.replace("BASE", f"'{base}'")):
        assert status == 400
        assert body["error"]


@pytest.mark.browser
async def test_a_page_of_another_origin_that_is_not_listed(
    browser, aiohttp_client, settings, png, elsewhere, files
):
    """It reads nothing, and nothing happens: no picture is stored and no job is made."""
    for listed in ((), ("https://other.example",)):
        folder = settings.data_dir / str(len(listed))
        app = create_app(replace(settings, cors_origins=listed, data_dir=folder))
        client = await aiohttp_client(app)
        base = str(client.make_url("/")).rstrip("/")
        page = await browser.new_page()
        await page.goto(elsewhere)
        with pytest.raises(Exception, match="Failed to fetch"):
            await page.evaluate(script(base), base64.b64encode(png).decode())
        blind = f"fetch('{base}/api/jobs', {{mode: 'no-cors'}}).then((it) => it.text(), () => '')"
        assert await page.evaluate(blind) == ""
        assert list((folder / "media").iterdir()) == []
        jobs = await (await client.get("/api/jobs")).json()
        assert jobs["jobs"] == []
