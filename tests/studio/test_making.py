"""From a dropped picture to a playing video, in a real browser, by the built-in engine."""

from __future__ import annotations

import contextlib

import pytest
from playwright.async_api import TimeoutError as TooLate
from playwright.async_api import expect

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]


async def test_a_dropped_picture_becomes_a_playing_video(visit, photo, tmp_path):
    studio = await visit()
    await studio.text("#notice").to_contain_text("Demo")
    await studio.prepare(photo)
    await studio.text("#understood").to_contain_text("The camera slowly moves forward; sunset look")
    job = await studio.generate()
    seen = await studio.plays()
    assert (seen["width"], round(seen["seconds"])) == (720, 1)
    await studio.text(".below .caption").to_contain_text("Camera motion")
    await studio.text("#cards li").to_have_count(1)
    async with studio.page.expect_download() as downloading:
        await studio.page.get_by_role("link", name="Download").click()
    download = await downloading.value
    assert download.suggested_filename == f"promptreel-{job[:8]}.mp4"
    await download.save_as(tmp_path / "got.mp4")
    assert b"ftyp" in (tmp_path / "got.mp4").read_bytes()[:16]


async def test_a_link_opens_the_video_and_a_change_makes_another(visit, photo):
    studio = await visit(context={"permissions": ["clipboard-read", "clipboard-write"]})
    await studio.prepare(photo)
    await studio.set("aspect", "1:1")
    await studio.set("seed", "7")
    first = await studio.generate()
    assert (await studio.plays())["width"] == 480
    await studio.page.get_by_role("button", name="Copy link").click()
    link = await studio.page.evaluate("navigator.clipboard.readText()")
    assert link == f"{studio.own}?job={first}"
    other = await visit(own=studio.own, query=f"?job={first}")
    await other.plays()
    await other.page.get_by_role("button", name="Again with changes").click()
    await expect(other.page.locator("#text")).to_have_value("Slow push in on the ridge, sunset")
    await expect(other.page.locator("#p-seed")).to_have_value("7")
    await expect(other.page.locator(".field-aspect :checked")).to_have_value("1:1")
    await other.write("Zoom out, night")
    second = await other.generate()
    assert second != first
    await other.plays()
    await other.text("#cards li").to_have_count(2)
    await other.page.go_back()
    await other.text(".below .caption").to_contain_text("push in")


async def test_a_pasted_picture_and_one_of_the_gallery_are_taken(visit, photo):
    studio = await visit()
    await studio.paste(photo)
    await studio.uploaded()
    await studio.write("Pan left")
    await studio.set("seconds", "0.5")
    await studio.set("resolution", "480p")
    await studio.generate()
    await studio.plays()
    await studio.page.click("#unpick")
    await expect(studio.page.locator("#picked")).to_be_hidden()
    await studio.page.locator("#recent .pick").first.click()
    await expect(studio.page.locator("#picked")).to_be_visible()
    assert await studio.page.evaluate("document.querySelector('#picked').naturalWidth") == 960


async def test_a_refresh_in_the_middle_goes_on(visit, photo):
    studio = await visit()
    await studio.prepare(photo, seconds="30")
    await studio.set("resolution", "720p")
    job = await studio.generate()
    await studio.progressing()
    await studio.page.reload()
    await studio.ready_soon()
    await studio.progressing()
    before = float(await studio.page.get_attribute("#bar", "value") or 0)
    assert 0 < before < 1
    picture = studio.page.locator('#preview[src^="data:image/jpeg"]')
    await expect(picture).to_be_visible(timeout=30_000)
    await expect(studio.page.locator("#text")).to_have_value("Slow push in on the ridge, sunset")
    assert round((await studio.plays())["seconds"]) == 30
    assert studio.page.url.endswith(job)
    await studio.text("#cards li").to_have_count(1)


async def test_cancel_stops_it(visit, photo):
    studio = await visit()
    await studio.prepare(photo, seconds="60")
    await studio.generate()
    await studio.progressing()
    await studio.page.get_by_role("button", name="Cancel").click()
    await studio.text("#screen").to_contain_text("Canceled")
    await studio.text("#cards").to_contain_text("canceled")


async def test_the_place_in_the_queue_is_told(visit, photo):
    studio = await visit(demo_jobs=1)
    await studio.prepare(photo, seconds="60")
    for _ in range(3):
        await studio.generate()
        await studio.page.wait_for_selector("#doing")
        await studio.page.goto(studio.own)
        await studio.ready()
    await studio.page.locator(".card-open").first.click()
    await studio.text("#step").to_have_text("After 1 other video.")
    await studio.page.get_by_role("button", name="Cancel").click()
    await studio.text("#screen").to_contain_text("Canceled")


async def chooser_by_enter(page):
    """Press Enter until the chooser opens: a busy Chromium lets a first one fall."""
    for _ in range(5):
        with contextlib.suppress(TooLate):
            async with page.expect_file_chooser(timeout=5000) as choosing:
                await page.keyboard.press("Enter")
            return await choosing.value
    pytest.fail("Enter opens no file chooser")


async def test_all_by_keyboard(visit, photo, tmp_path):
    (tmp_path / "photo.png").write_bytes(photo)
    studio = await visit()
    page = studio.page

    async def tab_to(selector: str) -> None:
        for _ in range(60):
            await page.keyboard.press("Tab")
            if await page.evaluate("(s) => document.activeElement.matches(s)", selector):
                return
        pytest.fail(f"{selector} can't be reached by the Tab key")

    await tab_to("#file")
    await (await chooser_by_enter(page)).set_files(tmp_path / "photo.png")
    await studio.uploaded()
    await tab_to("#text")
    await page.keyboard.type("Pan right, fog")
    await tab_to("#p-seconds")
    await page.keyboard.type("0.5")
    await tab_to("[name='p-resolution']")
    await page.keyboard.press("ArrowLeft")
    await expect(page.locator(".field-resolution :checked")).to_have_value("480p")
    await tab_to("#generate")
    await page.keyboard.press("Enter")
    await studio.plays()
    await tab_to(".below a[download]")


async def test_a_key_is_asked_for_and_kept_for_the_tab(visit, photo):
    studio = await visit(query=None, api_key="s3cret-and-long", refused=[401])
    page = studio.page
    await page.goto(studio.own)
    dialog = page.get_by_role("dialog")
    await expect(dialog).to_be_visible()
    await page.keyboard.type("wrong")
    await page.keyboard.press("Enter")
    await expect(dialog).to_contain_text("not accepted")
    await page.fill("#key-field", "s3cret-and-long")
    await page.keyboard.press("Enter")
    await studio.ready()
    await studio.prepare(photo, seconds="0.5")
    await studio.generate()
    await studio.plays()
    await page.reload()
    await studio.ready()
    await expect(dialog).to_be_hidden()
    assert await page.evaluate("localStorage.length") == 0
    await page.click("#key-open")
    await page.check("#key-remember")
    await page.fill("#key-field", "s3cret-and-long")
    await page.keyboard.press("Enter")
    await page.wait_for_function("localStorage.getItem('promptreel.key')")
