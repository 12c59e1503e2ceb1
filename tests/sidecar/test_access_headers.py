"""What each answer tells browsers, and that videos and pictures are shown all the same."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request
from multidict import CIMultiDict
from playwright.async_api import async_playwright
from yarl import URL

from sidecar.access.headers import page_headers, secure
from sidecar.app import create_app
from tests.needs import chromium
from tests.service import picture_form
from tests.waiting import found

EVERY = {
    "Server": "PromptReel",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
}
DATA = "default-src 'none'; frame-ancestors 'none'; sandbox"


@pytest.fixture
async def video(client, generate, upload):
    answer = await generate(imageUrl=await upload(), text="zoom in")
    return (await answer.json())["video"]


async def test_answers_of_the_api_are_data_that_nothing_runs(client, png):
    answers = [
        await client.get("/"),
        await client.get("/api/health"),
        await client.get("/api/jobs"),
        await client.get("/api/jobs/x"),
        await client.get("/nowhere"),
        await client.get("/api/files/x.png"),
        await client.post("/api/health"),
        await client.post("/api/upload", data=picture_form(png)),
        await client.post("/api/upload", data=picture_form(b"<script>alert(1)</script>")),
        await client.get("/api/health", headers={"Host": "evil.example"}),
        await client.get("/api/health", headers={"Expect": "x"}),
    ]
    for response in answers:
        assert response.content_type == "application/json"
        assert {name: response.headers[name] for name in EVERY} == EVERY
        assert response.headers["Content-Security-Policy"] == DATA
        assert response.headers["Cache-Control"] == "no-store"


async def test_a_file_is_shown_and_never_run(client, upload, video):
    for url in (await upload(), video):
        for headers, status in (({}, 200), ({"Range": "bytes=0-9"}, 206)):
            response = await client.get(URL(url).path, headers=headers)
            assert response.status == status
            assert {name: response.headers[name] for name in EVERY} == EVERY
            policy = response.headers["Content-Security-Policy"]
            assert policy.startswith("default-src 'none'; ")
            assert "frame-ancestors 'none'" in policy
            assert "script" not in policy
            assert "Content-Disposition" not in response.headers
            assert "no-store" not in response.headers["Cache-Control"]


async def test_pages_of_listed_origins_may_embed_files_and_nothing_else(
    aiohttp_client, settings, png
):
    app = create_app(replace(settings, cors_origins=("https://studio.example",)))
    client = await aiohttp_client(app)
    sent = await (await client.post("/api/upload", data=picture_form(png))).json()
    file = await client.get(URL(sent["imageUrl"]).path)
    assert file.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    for path in ("/api/health", "/api/files/x.png"):
        answer = await client.get(path)
        assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"


@pytest.mark.parametrize(
    ("kind", "shown"),
    [
        ("image/png", True),
        ("video/mp4", True),
        ("application/octet-stream", False),
        ("text/html", False),
        ("image-like/x", False),
    ],
)
def test_what_is_neither_picture_nor_video_is_downloaded(kind, shown):
    headers = CIMultiDict({"Content-Type": kind})
    secure(make_mocked_request("GET", "/api/files/x.bin"), headers, shared=False)
    assert headers.get("Content-Disposition") == (None if shown else "attachment")
    assert ("sandbox" in headers["Content-Security-Policy"]) == (not shown)


@pytest.mark.browser
async def test_a_browser_plays_a_video_and_shows_a_picture_opened_in_a_tab(client, upload, video):
    program = chromium()
    picture = await upload()
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        tab = await browser.new_page()
        said: list[str] = []
        tab.on("console", lambda message: said.append(message.text))
        await tab.goto(video)
        await shown(tab, "document.querySelector('video')?.readyState >= 2")
        await tab.evaluate("document.querySelector('video').play()")
        await shown(tab, "document.querySelector('video').currentTime > 0.1")
        await tab.goto(picture)
        await shown(tab, "document.querySelector('img')?.naturalWidth === 160")
        await browser.close()
    assert not [text for text in said if "Content Security Policy" in text]


async def shown(tab, expression: str) -> None:
    """Wait until it holds in the page; asked anew each time, for its policy forbids eval there."""
    await found(lambda: tab.evaluate(expression))


@pytest.fixture
async def pages(aiohttp_server):
    """Serve a page with `page_headers`, that tries what it must not."""

    async def page(request):
        html = (
            "<!doctype html><title>x</title><body><script>document.title = 'ran'</script>"
            "<script src=ours.js></script><img src=x onerror=\"document.title = 'ran'\">"
        )
        return web.Response(text=html, content_type="text/html", headers=page_headers())

    async def script(request):
        return web.Response(text="window.ours = 1", content_type="text/javascript")

    app = web.Application()
    app.add_routes([web.get("/", page), web.get("/ours.js", script)])
    return await aiohttp_server(app)


@pytest.mark.browser
async def test_a_page_of_ours_runs_scripts_of_ours_and_no_inline_ones(pages):
    program = chromium()
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        tab = await browser.new_page()
        await tab.goto(str(pages.make_url("/")))
        await shown(tab, "window.ours === 1")
        assert await tab.title() == "x"
        await browser.close()


def test_no_policy_of_a_page_lets_foreign_or_inline_scripts_in():
    for headers in (page_headers(), page_headers(inline_styles=True)):
        policy = headers["Content-Security-Policy"]
        assert re.findall(r"script-src ([^;]*)", policy) == ["'self'"]
        assert policy.startswith("default-src 'none'")
        assert "frame-ancestors 'none'" in policy
        assert "*" not in policy
