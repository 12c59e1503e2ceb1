"""The real service on a port of its own, and a browser that may reach nothing else."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from aiohttp import web
from playwright.async_api import Browser, Page

from sidecar.app import create_app
from sidecar.pool.pool import Watch
from sidecar.settings import Settings

LISTEN_TO_POLICY = """
document.addEventListener('securitypolicyviolation', (event) => {
  console.error('Policy: ' + event.violatedDirective + ' ' + event.blockedURI)
})
"""


@asynccontextmanager
async def service(folder: Path, watch: Watch | None = None, **changed) -> AsyncIterator[str]:
    """Run the service; give its address. Without a `comfyui_url` it is in demo mode."""
    settings = Settings(data_dir=folder / "data", local_comfyui_url="", **changed)
    runner = web.AppRunner(create_app(settings, watch), shutdown_timeout=1)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/"
    finally:
        await asyncio.wait_for(runner.cleanup(), 30)


@dataclass
class Watched:
    """What went wrong in a page. `refused`: answers of these statuses are what the test wants."""

    own: str
    refused: set[int] = field(default_factory=set)
    wrong: list[str] = field(default_factory=list)

    def listen(self, page: Page) -> None:
        """Hear errors of the console, of the policy and of scripts, and requests elsewhere."""
        page.on("console", lambda m: self._console(m.type, m.text))
        page.on("pageerror", lambda error: self.wrong.append(str(error)))
        page.on("request", lambda r: self._request(r.url))

    def _console(self, kind: str, text: str) -> None:
        expected = any(f"status of {status}" in text for status in self.refused)
        if 0 in self.refused and "net::ERR_" in text:
            expected = True
        if kind in ("error", "warning") and not expected:
            self.wrong.append(text)

    def _request(self, url: str) -> None:
        if not url.startswith((self.own, "data:", "blob:")):
            self.wrong.append(f"asked elsewhere: {url}")


@asynccontextmanager
async def watched_page(
    browser: Browser, own: str, **context
) -> AsyncIterator[tuple[Page, Watched]]:
    """Give a page of a fresh context; fail at the end if anything went wrong in it."""
    options = {"viewport": {"width": 1360, "height": 940}, "locale": "en-US", **context}
    opened = await browser.new_context(**options)
    await opened.add_init_script(LISTEN_TO_POLICY)
    page = await opened.new_page()
    page.set_default_timeout(30_000)
    heard = Watched(own)
    heard.listen(page)
    try:
        yield page, heard
    finally:
        await opened.close()
    assert not heard.wrong
