"""The studio page in front of a real ComfyUI: from a dropped picture to a playing video."""

from __future__ import annotations

import io

import pytest
from PIL import Image
from playwright.async_api import async_playwright, expect

from tests.e2e.comfyui_server import ComfyUI
from tests.e2e.landscape import landscape
from tests.needs import chromium
from tests.studio.running import service, watched_page
from tests.studio.studio import Studio


@pytest.mark.browser
async def test_from_drop_to_playing_video_through_comfyui(comfyui: ComfyUI, tmp_path):
    file = io.BytesIO()
    Image.fromarray(landscape(960, 640)).save(file, "PNG")
    async with (
        async_playwright() as playwright,
        await playwright.chromium.launch(
            executable_path=chromium(), args=["--no-sandbox"]
        ) as browser,
        service(tmp_path, comfyui_url=comfyui.url) as own,
        watched_page(browser, own) as (page, heard),
    ):
        studio = await Studio(page, heard, own).open()
        await expect(page.locator("#notice")).to_be_hidden()
        await page.click("#pipeline > summary")
        await page.check("#pipeline-camera-motion")
        await studio.prepare(file.getvalue(), seconds="20")
        job = await studio.generate()
        await studio.progressing()
        await page.reload()
        await studio.ready_soon()
        seen = await studio.plays()
        assert (seen["width"], round(seen["seconds"])) == (720, 20)
        answer = await (await page.request.get(f"{own}api/jobs/{job}")).json()
        assert answer["result"]["workflowResponse"]["prompt_id"]
