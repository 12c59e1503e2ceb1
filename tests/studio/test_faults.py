"""What goes wrong is said in words, where it went wrong, with what to do."""

from __future__ import annotations

import asyncio
import json

import pytest
from playwright.async_api import expect

from sidecar.pool.pool import Watch
from tests.fake_comfy import FakeComfy

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]
QUICK_LOOKS = Watch(look_s=0.2, away_look_s=0.2, away_s=1.0)


async def test_a_file_that_is_no_picture(visit, photo):
    studio = await visit(refused=[400])
    await studio.drop(b"these are no pixels", "notes.png")
    fault = studio.text("#picture-fault")
    await fault.to_contain_text("JPEG, PNG or GIF")
    await fault.to_contain_text("Take another picture")
    await expect(studio.page.locator("#picked")).to_be_hidden()
    await studio.page.click("#generate")
    await fault.to_contain_text("Choose a picture first.")
    await studio.drop(photo)
    await studio.uploaded()
    await fault.to_be_empty()


async def test_what_is_missing_in_the_form_gets_the_focus(visit, photo):
    studio = await visit()
    await studio.page.click("#generate")
    await expect(studio.page.locator("#file")).to_be_focused()
    await studio.text("#text-fault").to_contain_text("what should happen")
    await studio.drop(photo)
    await studio.uploaded()
    await studio.page.click("#generate")
    await expect(studio.page.locator("#text")).to_be_focused()
    await studio.write("Pan left")
    await studio.set("seconds", "600")
    await studio.page.click("#generate")
    await studio.text("#form-fault").to_have_text("Length: a number from 0.5 to 60.")
    await expect(studio.page.locator("#p-seconds")).to_be_focused()


async def test_a_full_queue(visit, photo):
    studio = await visit(demo_jobs=1, max_queued=1, refused=[429, 503])
    await studio.prepare(photo, seconds="60")
    await studio.generate()
    await studio.progressing()
    await studio.page.click("#generate")
    await studio.text("#step").to_have_text("It is next.")
    await studio.page.click("#generate")
    await studio.text("#form-fault").to_contain_text("Too many videos are waiting")
    await studio.text("#form-fault").to_contain_text("Wait a little and try again")


async def test_a_comfyui_that_is_away_and_comes_back(visit, photo):
    async with FakeComfy() as fake:
        url = fake.url
        await fake.stop()
        studio = await visit(comfyui_url=url, watch=QUICK_LOOKS, refused=[500, 503])
        await studio.text("#notice").to_contain_text("ComfyUI does not answer.")
        await studio.drop(photo)
        await studio.uploaded()
        await studio.write("Pan left")
        await studio.page.click("#generate")
        await studio.text("#form-fault").to_contain_text("Start ComfyUI")
        await fake._start(int(url.rpartition(":")[2]))
        await asyncio.sleep(2.5)  # an answer to "is it there?" holds for 2 s
        await studio.page.get_by_role("button", name="Look again").click()
        await expect(studio.page.locator("#notice")).to_be_hidden()
        await studio.text("#pipeline-name").to_have_text("Camera motion")
        await studio.generate()
        await studio.plays()


async def test_a_job_that_comfyui_fails_at(visit, photo):
    async with FakeComfy() as fake:
        fake.faults.error = {
            "exception_type": "ValueError",
            "exception_message": "The picture is too dark.",
        }
        studio = await visit(comfyui_url=fake.url)
        await studio.drop(photo)
        await studio.uploaded()
        await studio.write("Pan left")
        await studio.generate()
        screen = studio.text("#screen")
        await screen.to_contain_text("This did not work")
        await screen.to_contain_text("The picture is too dark.")
        fake.faults.error = None
        await studio.page.get_by_role("button", name="Try again").click()
        await studio.plays()
        await studio.text("#cards li").to_have_count(2)


async def test_a_link_to_a_job_that_is_not_there(visit):
    studio = await visit(query=f"?job={'0' * 32}", refused=[404])
    await studio.text("#screen").to_contain_text("There is no such job.")
    await studio.text("#screen").to_contain_text("another key made it")
    await studio.page.get_by_role("button", name="Make another").click()
    await studio.text("#screen").to_contain_text("Your video will play here")


async def test_a_lost_answer_makes_nothing_twice(visit, photo):
    studio = await visit(refused=[0])
    await studio.prepare(photo, seconds="0.5")

    async def lose(route):
        await route.fetch()
        await route.abort()

    await studio.page.route("**/api/generate", lose)
    await studio.page.click("#generate")
    await studio.text("#form-fault").to_contain_text("The service does not answer.")
    await studio.page.unroute("**/api/generate")
    await studio.generate()
    await studio.plays()
    answer = await studio.page.request.get(studio.own + "api/jobs")
    assert len(json.loads(await answer.text())["jobs"]) == 1


async def test_without_a_stream_of_events_it_asks_now_and_then(visit, photo):
    studio = await visit(refused=[503])
    refusal = {"error": "Too many clients follow jobs.", "details": "", "code": "too_many_streams"}

    async def refuse(route):
        await route.fulfill(status=503, json=refusal)

    await studio.page.route("**/events", refuse)
    await studio.prepare(photo, seconds="2")
    await studio.generate()
    await studio.plays()
