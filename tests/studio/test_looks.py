"""How the page looks and who can use it: languages, phones, screen readers, dark and light.

PROMPTREEL_TEST_SHOTS=docs/images keeps the pictures that the documentation shows.
"""

from __future__ import annotations

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import expect

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]
PHONE = {"viewport": {"width": 360, "height": 760}, "is_mobile": True, "has_touch": True}
RUSSIAN = (
    "\u043c\u0435\u0434\u043b\u0435\u043d\u043d\u044b\u0439 \u043d\u0430\u0435\u0437\u0434, "
    "\u0437\u0430\u043a\u0430\u0442"
)  # "slow push in, sunset"
MAKE = "\u0421\u0434\u0435\u043b\u0430\u0442\u044c \u0432\u0438\u0434\u0435\u043e"
UNDERSTOOD = "\u041f\u043e\u043d\u044f\u0442\u043e: \u041a\u0430\u043c\u0435\u0440\u0430"

# What has the same name in every language.
NAMES = (
    "ComfyUI",
    "PromptReel",
    "Wan",
    "Video",
    "Cosmos",
    "SDXL",
    "SVD",
    "LTX",
    "Kandinsky",
    "MiniMax",
)


async def faults_of(page) -> list[str]:
    """Return what axe-core calls serious or critical."""
    found = (await Axe().run(page)).response["violations"]
    return [
        f"{one['id']}: {node['target']} {node['failureSummary']}"
        for one in found
        if one["impact"] in ("serious", "critical")
        for node in one["nodes"]
    ]


async def wider_than_the_screen(page) -> list[str]:
    """Return what sticks out to the right, where the page could be scrolled sideways."""
    return await page.evaluate(
        """() => document.documentElement.scrollWidth <= screen.width ? [] :
        [...document.querySelectorAll('body *')]
          .filter((one) => one.getBoundingClientRect().right > screen.width + 1)
          .map((one) => `${one.tagName}.${one.className}`)"""
    )


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_axe_finds_no_serious_fault(visit, photo, scheme):
    studio = await visit(context={"color_scheme": scheme})
    page = studio.page
    await page.click("#pipeline > summary")
    await page.click("#more > summary")
    assert not await faults_of(page), "the empty form"
    await page.click("#pipeline > summary")
    await page.click("#more > summary")
    await page.get_by_role("button", name="Connect a ComfyUI").click()
    assert not await faults_of(page), "a dialog"
    await page.keyboard.press("Escape")
    await studio.prepare(photo, seconds="12")
    await studio.set("resolution", "1080p" if scheme == "light" else "720p")
    await studio.generate()
    await studio.progressing()
    assert not await faults_of(page), "while it is made"
    if scheme == "light":  # long enough in the making to be seen
        await page.wait_for_selector('#preview[src^="data:image/jpeg"]')
        await page.evaluate("scrollTo(0, 0)")
        await studio.shot("studio-running.webp")
    await studio.plays()
    assert not await faults_of(page), "the video"
    if scheme == "light":
        await page.evaluate("scrollTo(0, 0)")
        await studio.shot("studio.webp")


async def test_axe_finds_no_serious_fault_where_something_is_wrong(visit):
    studio = await visit(query=f"?job={'0' * 32}", refused=[404, 400])
    await studio.text("#screen").to_contain_text("There is no such job.")
    await studio.drop(b"no picture")
    await studio.text("#picture-fault").to_contain_text("Take another")
    assert not await faults_of(studio.page)


async def test_russian_by_the_browsers_language_and_by_the_switch(visit, photo):
    studio = await visit(context={"locale": "ru-RU"})
    page = studio.page
    assert await page.get_attribute("html", "lang") == "ru"
    await studio.text("#generate").to_have_text(MAKE)
    await studio.drop(photo)
    await studio.uploaded()
    await studio.write(RUSSIAN)
    await studio.text("#understood").to_contain_text(UNDERSTOOD)
    await studio.set("seconds", "0,5")
    await studio.set("resolution", "480p")
    await studio.generate()
    await studio.plays()
    latin = await page.evaluate(
        r"""() => {
          const main = document.querySelector('main')
          const walk = document.createTreeWalker(main, NodeFilter.SHOW_TEXT)
          const left = []
          for (let node = walk.nextNode(); node; node = walk.nextNode()) {
            const own = node.parentElement.closest('[lang=en], code, option')
            if (!own && /[A-Za-z]{4,}/.test(node.data)) left.push(node.data)
          }
          return left
        }"""
    )
    assert not [text for text in latin if not any(name in text for name in NAMES)]
    await page.click("[data-language=en]")
    await studio.text("#generate").to_have_text("Make the video")
    await page.reload()
    await studio.ready()
    await studio.text("#generate").to_have_text("Make the video")


async def test_a_phone_shows_all_without_scrolling_sideways(visit, photo):
    studio = await visit(context={**PHONE, "locale": "ru-RU", "color_scheme": "dark"})
    page = studio.page
    assert not await wider_than_the_screen(page)
    await page.click("#pipeline > summary")
    await page.click("#more > summary")
    assert not await wider_than_the_screen(page)
    await page.click("#pipeline > summary")
    await page.click("#more > summary")
    await studio.prepare(photo, seconds="0.5")
    await studio.generate()
    await studio.plays()
    assert not await wider_than_the_screen(page)
    assert await page.locator("#video").evaluate("(one) => one.getBoundingClientRect().top < 700")
    await studio.shot("studio-phone.webp")
    small = await page.evaluate(
        """() => [...document.querySelectorAll('button, a, input:not(.unseen), summary')]
        .filter((one) => one.checkVisibility() && one.getBoundingClientRect().height < 24
          && one.getBoundingClientRect().height > 1 && !one.matches('[type=radio], .skip'))
        .map((one) => one.outerHTML)"""
    )
    assert not small


async def test_who_wants_less_motion_starts_the_video_by_hand(visit, photo):
    studio = await visit(context={"reduced_motion": "reduce"})
    await studio.prepare(photo, seconds="0.5")
    await studio.generate()
    video = studio.page.locator("video#video")
    await expect(video).to_be_visible(timeout=60_000)
    assert await video.evaluate("(one) => one.paused && !one.autoplay")
