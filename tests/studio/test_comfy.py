"""The page in front of a ComfyUI: what can run, what the others lack, its progress and previews."""

from __future__ import annotations

import io
import re

import pytest
from PIL import Image
from playwright.async_api import expect

from tests.fake_comfy import FakeComfy
from tests.waiting import eventually

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]


async def test_what_a_pipeline_lacks_is_explained(visit):
    async with FakeComfy() as fake:
        studio = await visit(comfyui_url=fake.url)
        await expect(studio.page.locator("#notice")).to_be_hidden()
        await studio.page.click("#pipeline > summary")
        default = studio.page.locator(".choice", has_text="Camera motion")
        await expect(default).to_contain_text("recommended")
        await expect(default.locator("input")).to_be_checked()
        small = studio.page.locator(
            ".choice", has=studio.page.locator("#pipeline-wan2\\.2-ti2v-5b")
        )
        await expect(small.locator("input[type=radio]")).to_be_disabled()
        await expect(small).to_contain_text("model files")
        await small.locator("summary").click()
        await expect(small).to_contain_text("promptreel models pull wan2.2-ti2v-5b")
        await expect(small).to_contain_text("models/vae")
        await expect(small.get_by_role("link").first).to_have_attribute(
            "href", re.compile("^https://")
        )


async def test_a_video_through_comfyui_shows_its_previews_and_plays(visit, photo):
    async with FakeComfy(hold=True) as fake:
        studio = await visit(comfyui_url=fake.url)
        await studio.drop(photo)
        await studio.uploaded()
        await studio.write("Pan left, night")
        await studio.generate()
        await eventually(lambda: fake.running)
        await studio.progressing()
        (item,) = fake.running
        file = io.BytesIO()
        Image.new("RGB", (64, 48), (200, 40, 10)).save(file, "JPEG")
        await fake.send_preview(item[3]["client_id"], item[1], file.getvalue(), "image/jpeg")
        preview = studio.page.locator('#preview[src^="data:image/jpeg"]')
        await expect(preview).to_be_visible()
        assert await preview.evaluate("(image) => image.naturalWidth") == 64
        fake.hold.set()
        assert (await studio.plays())["width"] == 32
