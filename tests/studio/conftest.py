"""One browser for a file's tests, a fresh service and a fresh profile for each test."""

from __future__ import annotations

import io
from contextlib import AsyncExitStack

import pytest
import pytest_asyncio
from PIL import Image
from playwright.async_api import async_playwright

from tests.e2e.landscape import landscape
from tests.needs import chromium
from tests.studio.running import service, watched_page
from tests.studio.studio import Studio

ARGS = ["--no-sandbox", "--autoplay-policy=no-user-gesture-required"]


@pytest.fixture(scope="session")
def photo() -> bytes:
    """A picture with something to see in it, 960x640."""
    file = io.BytesIO()
    Image.fromarray(landscape(960, 640)).save(file, "PNG")
    return file.getvalue()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser():
    program = chromium()
    async with async_playwright() as playwright:
        opened = await playwright.chromium.launch(executable_path=program, args=ARGS)
        yield opened
        await opened.close()


@pytest_asyncio.fixture(loop_scope="module")
async def visit(browser, tmp_path):
    """Return a function that runs a service and opens its page.

    `refused`: statuses that the test wants to see; `own`: a service that runs already; `context`:
    of the browser. The rest are settings.
    """
    async with AsyncExitStack() as stack:

        async def go(
            query: str | None = "", *, own="", watch=None, context=None, refused=(), **changed
        ) -> Studio:
            own = own or await stack.enter_async_context(service(tmp_path, watch, **changed))
            page, heard = await stack.enter_async_context(
                watched_page(browser, own, **(context or {}))
            )
            heard.refused = {*refused}
            studio = Studio(page, heard, own)
            return studio if query is None else await studio.open(query)

        yield go
