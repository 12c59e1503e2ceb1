"""The studio page as a person uses it."""

from __future__ import annotations

import asyncio
import base64
import io
import os
import re
from pathlib import Path

from PIL import Image
from playwright.async_api import Page, expect

from tests.studio.running import Watched

TEXT = "Slow push in on the ridge, sunset"
PLAYS = """
async (video) => {
  const pause = (seconds) => new Promise((done) => setTimeout(done, seconds * 1000))
  for (let tries = 0; tries < 100 && video.readyState < 2; tries += 1) await pause(0.1)
  const before = video.currentTime
  const seen = new Set([before])
  for (let tries = 0; tries < 60 && seen.size < 3; tries += 1) {
    await pause(0.1)
    seen.add(video.currentTime)
  }
  return { width: video.videoWidth, moved: seen.size > 1, seconds: video.duration }
}
"""
CARRY = """
([encoded, name, type]) => {
  const bytes = Uint8Array.from(atob(encoded), (char) => char.charCodeAt(0))
  const data = new DataTransfer()
  data.items.add(new File([bytes], name, { type }))
  return data
}
"""
PASTE = """
(data) => document.body.dispatchEvent(
  new ClipboardEvent('paste', { clipboardData: data, bubbles: true, cancelable: true }))
"""


class Studio:
    """One page."""

    def __init__(self, page: Page, heard: Watched, own: str) -> None:
        self.page = page
        self.heard = heard
        self.own = own

    async def open(self, query: str = "") -> Studio:
        """Open the page and wait until it can be used."""
        await self.page.goto(self.own + query)
        await self.ready()
        return self

    async def ready(self) -> None:
        await self.page.wait_for_selector("body[data-ready]")

    async def ready_soon(self) -> None:
        """Wait until the page is there anew."""
        await self.page.wait_for_load_state("load")
        await self.ready()

    async def carried(self, data: bytes, name: str = "photo.png", kind: str = "image/png"):
        """Return a DataTransfer with a file."""
        encoded = base64.b64encode(data).decode()
        return await self.page.evaluate_handle(CARRY, [encoded, name, kind])

    async def drop(self, data: bytes, name: str = "photo.png", kind: str = "image/png") -> None:
        carried = await self.carried(data, name, kind)
        await self.page.dispatch_event("#drop", "drop", {"dataTransfer": carried})

    async def paste(self, data: bytes) -> None:
        await self.page.evaluate(PASTE, await self.carried(data, "image.png"))

    async def uploaded(self) -> None:
        """Wait until the picture is at the service."""
        await expect(self.page.locator("#uploading")).to_be_hidden()
        await expect(self.page.locator("#picked")).to_be_visible()

    async def write(self, text: str) -> None:
        await self.page.fill("#text", text)

    async def set(self, name: str, value: str) -> None:
        """Set a parameter, chosen or written."""
        field = self.page.locator(f"#p-{name}")
        if await field.count():
            return await field.fill(value)
        chosen = self.page.locator(f".field-{name}").get_by_text(value, exact=True)
        return await chosen.click()

    async def prepare(self, png: bytes, text: str = TEXT, seconds: str = "1") -> None:
        """Fill in all that a small quick video needs."""
        await self.drop(png)
        await self.uploaded()
        await self.write(text)
        await self.set("seconds", seconds)
        await self.set("resolution", "480p")

    async def generate(self) -> str:
        """Press the button; return the job's id."""
        before = self.page.url
        await self.page.click("#generate")
        await self.page.wait_for_url(
            lambda url: url != before and re.search(r"\?job=[0-9a-f]{32}$", url) is not None
        )
        return self.page.url.rpartition("=")[2]

    async def plays(self) -> dict:
        """Wait for the video, and see that it moves; return its width and length."""
        video = self.page.locator("video#video")
        await expect(video).to_be_visible(timeout=90_000)
        seen = await video.evaluate(PLAYS)
        assert seen["moved"], "the video stands still"
        assert seen["width"] > 0
        return seen

    async def progressing(self) -> None:
        """Wait until it is seen how far the video is."""
        await self.page.wait_for_selector("#bar[value]", timeout=60_000)

    def text(self, selector: str):
        return expect(self.page.locator(selector))

    async def shot(self, name: str) -> None:
        """Keep a picture of what is seen, where somebody asks for them."""
        if folder := os.environ.get("PROMPTREEL_TEST_SHOTS"):
            taken = await self.page.screenshot(animations="disabled")
            await asyncio.to_thread(_save, taken, Path(folder) / name)


def _save(taken: bytes, path: Path) -> None:
    with Image.open(io.BytesIO(taken)) as image:
        image.convert("RGB").save(path, quality=86, method=6)
