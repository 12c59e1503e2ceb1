"""The page /docs in a real browser: it renders, asks nobody else, and its "Try it out" works."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from playwright.async_api import async_playwright, expect

from sidecar.openapi import samples
from sidecar.openapi.operations import OPERATIONS
from tests.needs import chromium

UPLOAD, GENERATE = "#operations-videos-upload", "#operations-videos-generate"


@pytest.fixture
async def page(client):
    """A new page of a browser that may reach nothing but the service; it keeps what went wrong."""
    program = chromium()
    own = str(client.make_url("/"))
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        opened = await browser.new_page(viewport={"width": 1280, "height": 1400})
        wrong: list[str] = []
        opened.on("console", lambda m: wrong.append(m.text) if m.type == "error" else None)
        opened.on("pageerror", lambda error: wrong.append(str(error)))
        opened.on("request", lambda r: wrong.append(r.url) if not is_ours(r.url, own) else None)
        yield opened
        await browser.close()
    assert not wrong


def is_ours(url: str, own: str) -> bool:
    return url.startswith((own, "data:", "blob:"))


async def run(page, block: str) -> dict:
    """Execute an open operation; return the JSON of its answer."""
    path = "/api/upload" if block == UPLOAD else "/api/generate"
    async with page.expect_response(lambda r: r.url.endswith(path), timeout=60_000) as answer:
        await page.click(f"{block} .btn.execute")
    response = await answer.value
    assert response.status == 200, await response.text()
    return await response.json()


async def shot(page, name: str) -> None:
    """Keep a picture of the page where somebody asks for them."""
    if folder := os.environ.get("PROMPTREEL_TEST_SHOTS"):
        await page.screenshot(path=Path(folder) / name, full_page=True)


@pytest.mark.browser
async def test_upload_and_generate_can_be_tried(page, client, tmp_path):
    await page.goto(str(client.make_url("/docs")))
    await expect(page.locator(".opblock-tag-section .opblock")).to_have_count(len(OPERATIONS))
    await expect(page.locator(".info .title")).to_contain_text("PromptReel")
    await shot(page, "docs.png")
    (tmp_path / "a.png").write_bytes(samples.picture())
    await page.click(f"{UPLOAD} .opblock-summary-control")
    await page.set_input_files(f"{UPLOAD} input[type=file]", tmp_path / "a.png")
    uploaded = await run(page, UPLOAD)
    assert uploaded["imageUrl"].startswith(str(client.make_url("/api/files/")))
    await page.click(f"{UPLOAD} .opblock-summary-control")
    await page.click(f"{GENERATE} .opblock-summary-control")
    await shot(page, "docs-generate.png")
    made = await run(page, GENERATE)
    assert made["isDemo"]
    await expect(page.locator(f"{GENERATE} .live-responses-table")).to_contain_text(made["video"])
    await shot(page, "docs-made.png")


@pytest.mark.parametrize("path", ["/docs", "/docs/swagger-ui-bundle.js", "/docs/swagger-ui.css"])
async def test_its_files_are_ours_and_strict(client, path):
    response = await client.get(path)
    assert response.status == 200
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    policy = response.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self'" in policy or "sandbox" in policy
    assert "http" not in policy


@pytest.mark.parametrize("name", ["page.html", "index.html", "..%2Fpage.py", "page.py", "a.js"])
async def test_nothing_else_lies_there(client, name):
    assert (await client.get(f"/docs/{name}")).status == 404
