"""The contract's own JavaScript examples, unchanged, in a real browser; its video seeks."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
from playwright.async_api import async_playwright

from tests.needs import chromium

EXAMPLES = Path(__file__).parents[1] / "data" / "contract_examples.js"

RUN = """
async (encoded) => {
  const bytes = Uint8Array.from(atob(encoded), (char) => char.charCodeAt(0))
  const imageUrl = await uploadExample(new File([bytes], 'кот.png', { type: 'image/png' }))
  return { imageUrl, ...(await generateExample(imageUrl)) }
}
"""

SHOW = """
async ({ image, video }) => {
  const picture = new Image()
  picture.src = image
  await picture.decode()
  const player = document.createElement('video')
  player.muted = true
  player.src = video
  const event = (name) => new Promise((resolve, reject) => {
    player.addEventListener(name, resolve, { once: true })
    player.addEventListener('error', () => reject(player.error.message), { once: true })
  })
  const loaded = event('loadeddata')
  player.load()
  await loaded
  const sought = event('seeked')
  player.currentTime = player.duration * 0.8
  await sought
  return [picture.naturalWidth, player.videoWidth, player.currentTime / player.duration]
}
"""


async def _show_page(route):
    """Answer with a page of the service's own origin: its own answers are data, not pages."""
    await route.fulfill(content_type="text/html", body="<!doctype html><title>page</title>")


@pytest.fixture
async def page(client):
    program = chromium()
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        opened = await browser.new_page()
        await opened.route("**/page.html", _show_page)
        await opened.goto(str(client.make_url("/page.html")))
        yield opened
        await browser.close()


@pytest.mark.browser
async def test_the_examples_of_the_contract_work_unchanged(page, client, png):
    await page.add_script_tag(content=EXAMPLES.read_text(encoding="utf-8"))
    answer = await page.evaluate(RUN, base64.b64encode(png).decode())
    own = str(client.make_url("/api/files/"))
    assert all(url.startswith(own) for url in answer.values())
    width, video_width, place = await page.evaluate(SHOW, answer)
    assert (width, video_width) == (1280, 1280)
    assert place == pytest.approx(0.8, abs=0.05)
