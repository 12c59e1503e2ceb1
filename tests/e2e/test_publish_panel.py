"""Publishing the open workflow by hand: the sidebar's panel in the real editor, by clicks alone.

`PROMPTREEL_SHOTS=FOLDER` keeps pictures to look at, `PROMPTREEL_TEST_SHOTS=docs/images` the docs'.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import shlex
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import FloatRect, Locator, Page, Route, expect

from tests.e2e.comfyui_server import ComfyUI
from tests.e2e.editor import EXAMPLE, NODES_2, RUSSIAN, Editor, editor
from tests.e2e.landscape import landscape, save
from tests.needs import lacking

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]

RENDERERS = pytest.mark.parametrize("renderer", [{}, NODES_2], ids=["canvas", "nodes2"])
LIGHT = {"Comfy.ColorPalette": "light"}
UNASKED = {"Comfy.Workflow.ShowMissingModelsWarning": False}
NAME = "by-hand"
TALL = 1300  # the whole panel is on the page
BESIDE = "() => Object.assign(app.canvas.ds, { scale: 0.6, offset: [590, 220] })"
PHOTOGRAPH = FloatRect(x=0, y=78, width=1600, height=1000)  # without the editor's own news
MARKED = """() => app.graph.nodes
    .filter((node) => node.strokeStyles.promptreel).map((node) => node.type)"""
SELECTED = "() => Object.values(app.canvas.selected_nodes).map((node) => node.type)"
OUTLINED = """() => [...document.querySelectorAll(".lg-node")]
    .filter((node) => node.style.outline).map((node) => node.dataset.nodeId).sort()"""
SAVED = {"filename_prefix": "a", "format": "auto", "codec": "auto"}
STRANGE = {
    number: {"class_type": kind, "inputs": inputs}
    for number, kind, inputs in (
        ("1", "LoadImage", {"image": "example.png"}),
        ("2", "RepeatImageBatch", {"image": ["1", 0], "amount": 12}),
        ("3", "CreateVideo", {"images": ["2", 0], "fps": 24.0}),
        ("4", "SaveVideo", {"video": ["3", 0], **SAVED}),
        ("5", "LoadImage", {"image": "example.png"}),
        ("6", "RepeatImageBatch", {"image": ["5", 0], "amount": 12}),
        ("7", "CreateVideo", {"images": ["6", 0], "fps": 12.0}),
        ("8", "SaveVideo", {"video": ["7", 0], **SAVED}),
    )
}
INTO_SUBGRAPH = """() => app.graph.convertToSubgraph(
    new Set([6, 7].map((id) => app.graph.getNodeById(id))))"""


@pytest.fixture
async def nothing_published(comfyui: ComfyUI) -> AsyncIterator[None]:
    """The one ComfyUI of all tests keeps nothing of a test."""
    save(comfyui.input_dir / "example.png", landscape(480, 320))
    yield
    for row in (await asyncio.to_thread(comfyui.get, "/promptreel/pipelines"))["pipelines"]:
        await asyncio.to_thread(_remove, comfyui, row["name"])


def _remove(comfyui: ComfyUI, name: str) -> None:
    comfyui.send("DELETE", f"/promptreel/pipelines/{name}")


def _example() -> dict[str, Any]:
    return json.loads(EXAMPLE.read_text(encoding="utf-8"))


def _panel(page: Page) -> Locator:
    return page.locator(".promptreel-publish")


async def _shown(
    opened: Editor,
    name: str,
    variable: str = "PROMPTREEL_SHOTS",
    clip: FloatRect | None = None,
) -> None:
    """Keep a picture for somebody to look at, if asked."""
    if folder := os.environ.get(variable):
        await opened.page.wait_for_timeout(800)
        await opened.page.screenshot(path=Path(folder) / f"{name}.png", clip=clip)


async def _late(route: Route) -> None:
    """Hold an answer back: somebody clicks faster than the server answers."""
    await asyncio.sleep(1)
    await route.continue_()


async def _published(opened: Editor) -> Locator:
    """Publish the open example by clicks; return its row in the panel's list."""
    panel = _panel(opened.page)
    await opened.page.locator(".promptreel-publish-tab-button").click()
    await panel.get_by_role("button", name="Read the open workflow").click()
    await panel.get_by_label("Name", exact=True).fill(NAME)
    await panel.get_by_role("button", name="Publish", exact=True).click()
    await expect(panel.get_by_text(f"{NAME} is published.")).to_be_visible()
    return panel.locator(f'details[data-name="{NAME}"]')


@RENDERERS
async def test_open_workflow_is_published_tested_and_removed_by_clicks(
    comfyui: ComfyUI, nothing_published: None, renderer: dict[str, Any], tmp_path: Path
):
    async with editor(comfyui, height=TALL, settings=renderer) as opened:
        await opened.open_workflow(_example())
        before = await opened.as_prompt()
        row = await _published(opened)
        stored = await asyncio.to_thread(comfyui.get, f"/promptreel/pipelines/{NAME}")
        assert stored["mapping"]["image"] == [["1", "image"]]
        assert stored["mapping"]["text"] == [["1", "text"]]
        assert stored["outputs"]["video"] == "5"
        picture = tmp_path / "mine.png"
        save(picture, landscape(400 if renderer else 320, 200))  # what was made once, isn't again
        await row.get_by_label("Picture", exact=True).set_input_files(picture)
        await row.get_by_label("Text", exact=True).fill("pan left, 1 second")
        await row.get_by_role("button", name="Test", exact=True).click()
        await expect(row.get_by_text("Done.")).to_be_visible(timeout=90_000)
        assert await row.locator("progress").evaluate("(bar) => bar.value") > 0
        video = await row.locator("video").element_handle()
        plays = "(video) => video.readyState > 1 && Math.abs(video.duration - 1) < 0.1"
        await opened.page.wait_for_function(plays, arg=video)
        assert await opened.as_prompt() == before
        assert await opened.page.evaluate("() => Object.keys(app.nodeOutputs)") in ([], ["1"])
        await _shown(opened, f"tested-{bool(renderer)}")
        await row.get_by_role("button", name="Remove").click()
        await row.get_by_role("button", name="Keep it").click()
        await row.get_by_role("button", name="Remove").click()
        await row.get_by_role("button", name="Remove").click()
        await expect(_panel(opened.page).get_by_text("None yet.")).to_be_visible()
        assert not opened.complaints
    assert (await asyncio.to_thread(comfyui.get, "/promptreel/pipelines"))["pipelines"] == []


@RENDERERS
async def test_mapping_is_shown_on_the_nodes_and_can_be_changed(
    comfyui: ComfyUI, nothing_published: None, renderer: dict[str, Any]
):
    async with editor(comfyui, height=TALL, settings=renderer) as opened:
        await opened.open_workflow(_example())
        await opened.page.evaluate(
            "() => app.extensionManager.command.execute('PromptReel.Publish')"
        )
        panel = _panel(opened.page)
        text = panel.get_by_role("combobox", name="Text goes to")
        await expect(text).to_be_visible()
        assert {"PromptReelRequest", "PromptReelResult"} <= set(await opened.page.evaluate(MARKED))
        if renderer:
            assert {"1", "5"} <= set(await opened.page.evaluate(OUTLINED))
        await panel.get_by_role("button", name=re.compile("Show the node .*Result")).click()
        assert await opened.page.evaluate(SELECTED) == ["PromptReelResult"]
        await _shown(opened, f"mapping-{bool(renderer)}")
        await panel.get_by_label("Name", exact=True).fill(NAME)
        await opened.page.route("**/pipelines/read", _late)
        await text.select_option('[["1","negative"]]')
        await panel.get_by_role("button", name="Publish", exact=True).click()
        await expect(panel.get_by_text(f"{NAME} is published.")).to_be_visible()
        stored = await asyncio.to_thread(comfyui.get, f"/promptreel/pipelines/{NAME}")
        assert stored["mapping"]["text"] == [["1", "negative"]]
        assert not stored["mapping"].get("negative")  # one widget takes one thing
        assert await opened.page.evaluate(MARKED) == []
        assert not opened.complaints


async def test_another_workflow_opened_meanwhile_is_read_before_it_is_published(
    comfyui: ComfyUI, nothing_published: None
):
    other = json.loads((EXAMPLE.parent / "wan2.2-ti2v-5b.json").read_text(encoding="utf-8"))
    async with editor(comfyui, height=TALL, settings=UNASKED) as opened:
        await opened.open_workflow(_example())
        await opened.page.locator(".promptreel-publish-tab-button").click()
        panel = _panel(opened.page)
        await panel.get_by_role("button", name="Read the open workflow").click()
        await panel.get_by_label("Name", exact=True).fill(NAME)
        await opened.open_workflow(other)
        publish = panel.get_by_role("button", name="Publish", exact=True)
        await publish.click()
        await expect(panel.get_by_role("alert").filter(has_text="has changed")).to_be_visible()
        rows = await asyncio.to_thread(comfyui.get, "/promptreel/pipelines")
        assert rows["pipelines"] == []
        await publish.click()  # now that its own mapping is shown
        await expect(panel.get_by_text(f"{NAME} is published.")).to_be_visible()
        stored = await asyncio.to_thread(comfyui.get, f"/promptreel/pipelines/{NAME}")
        kinds = {node["class_type"] for node in stored["graph"].values()}
        assert "PromptReelWan22TI2V5BModel" in kinds
        assert not opened.complaints


async def test_taken_name_is_told_and_replaced_only_when_asked(
    comfyui: ComfyUI, nothing_published: None
):
    async with editor(comfyui, height=TALL) as opened:
        await opened.open_workflow(_example())
        await _published(opened)
        panel = _panel(opened.page)
        await panel.get_by_role("button", name="Read the open workflow").click()
        await panel.get_by_label("Name", exact=True).fill(NAME)
        await panel.get_by_label("Title for people").fill("The second")
        await panel.get_by_role("button", name="Publish", exact=True).click()
        await expect(panel.get_by_role("alert").filter(has_text=NAME)).to_be_visible()
        rows = await asyncio.to_thread(comfyui.get, "/promptreel/pipelines")
        assert [row["title"] for row in rows["pipelines"]] == [NAME]
        await panel.get_by_role("button", name="Replace the published one").click()
        await expect(panel.get_by_text(f"{NAME} is published.")).to_be_visible()
        rows = await asyncio.to_thread(comfyui.get, "/promptreel/pipelines")
        assert [row["title"] for row in rows["pipelines"]] == ["The second"]


async def test_what_is_no_pipeline_is_told_in_words(comfyui: ComfyUI, nothing_published: None):
    async with editor(comfyui, height=TALL) as opened:
        await opened.page.evaluate("() => app.graph.clear()")
        await opened.page.locator(".promptreel-publish-tab-button").click()
        panel = _panel(opened.page)
        await panel.get_by_role("button", name="Read the open workflow").click()
        alert = panel.get_by_role("alert").filter(has_text=re.compile(r"\w+ .*\."))
        await expect(alert.first).to_be_visible()


async def test_calls_are_ready_to_be_copied(comfyui: ComfyUI, nothing_published: None):
    async with editor(comfyui, height=TALL) as opened:
        await opened.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        await opened.open_workflow(_example())
        row = await _published(opened)
        for call, part in (("curl", f"comfyPipeline={NAME}"), ("fetch()", f'"{NAME}"')):
            await row.get_by_role("button", name=f"Copy the {call} call").click()
            copied = await opened.page.evaluate("() => navigator.clipboard.readText()")
            assert part in copied
            assert comfyui.url in copied  # a service that runs elsewhere must be told of it
            assert copied == await row.get_by_label(call, exact=True).input_value()
        assert not opened.complaints


async def test_menu_has_it_and_the_panel_speaks_russian(comfyui: ComfyUI, nothing_published: None):
    async with editor(comfyui, height=TALL, settings=RUSSIAN | LIGHT) as opened:
        await opened.open_workflow(_example())
        await opened.page.locator(".comfy-menu-button-wrapper").click()
        await opened.page.get_by_text("PromptReel", exact=True).first.hover()
        await _shown(opened, "menu")
        await opened.page.get_by_text("\u041e\u043f\u0443\u0431\u043b\u0438\u043a").first.click()
        panel = _panel(opened.page)
        await expect(panel.locator("select").first).to_be_visible()
        said = await panel.inner_text()
        assert not re.search(r"\b(Publish|Picture|Read|Name|None)\b", said), said
        await _shown(opened, "publish-russian")
        assert not opened.complaints


@pytest.mark.parametrize("palette", [{}, LIGHT], ids=["dark", "light"])
async def test_axe_finds_no_serious_fault_and_the_keyboard_is_enough(
    comfyui: ComfyUI, nothing_published: None, palette: dict[str, Any]
):
    async with editor(comfyui, height=TALL, settings=palette) as opened:
        await opened.open_workflow(_example())
        await _published(opened)
        panel = _panel(opened.page)
        await panel.get_by_role("button", name="Read the open workflow").focus()
        await opened.page.keyboard.press("Enter")
        await expect(panel.locator("select").first).to_be_visible()
        for _ in range(2):
            await opened.page.keyboard.press("Tab")
        shown = panel.get_by_role("button", name=re.compile("Show the node")).first
        await expect(shown).to_be_focused()
        await opened.page.keyboard.press("Enter")
        assert await opened.page.evaluate(SELECTED) == ["PromptReelRequest"]
        found = (await Axe().run(opened.page, ".promptreel-publish")).response["violations"]
        bad = [one for one in found if one["impact"] in ("serious", "critical")]
        assert not bad, [(one["id"], [node["target"] for node in one["nodes"]]) for one in bad]
        assert not opened.complaints


async def test_picture_of_the_docs(comfyui: ComfyUI, nothing_published: None, tmp_path: Path):
    async with editor(comfyui, width=1600, height=1090) as opened:
        await opened.open_workflow(_example())
        await opened.page.evaluate(BESIDE)
        await opened.page.locator(".promptreel-publish-tab-button").click()
        await _panel(opened.page).get_by_role("button", name="Read the open workflow").click()
        await expect(_panel(opened.page).locator("select").first).to_be_visible()
        await opened.page.wait_for_timeout(2000)
        await _shown(opened, "publish", "PROMPTREEL_TEST_SHOTS", PHOTOGRAPH)
        assert not opened.complaints


async def test_copied_curl_runs_the_published_one_on_a_service_of_the_panel(
    comfyui: ComfyUI, nothing_published: None, tmp_path: Path
):
    told = await asyncio.to_thread(comfyui.get, "/promptreel/sidecar")
    if not told["available"]:
        lacking(told["why"])
    curl = shutil.which("curl") or lacking("There is no curl.")
    save(tmp_path / "photo.jpg", landscape(320, 200))
    async with editor(comfyui, height=TALL) as opened:
        await opened.open_workflow(_example())
        panel = _panel(opened.page)
        await opened.page.locator(".promptreel-publish-tab-button").click()
        switch = panel.get_by_role("switch", name="The service runs")
        await expect(switch).not_to_be_checked()
        await switch.click()
        await expect(panel.get_by_role("link", name="http://127.0.0.1:")).to_be_visible(
            timeout=40_000
        )
        await expect(panel.get_by_text("No jobs yet.")).to_be_visible()
        await panel.get_by_role("button", name="Read the open workflow").click()
        await panel.get_by_label("Name", exact=True).fill(NAME)
        await panel.get_by_role("button", name="Publish", exact=True).click()
        row = panel.locator(f'details[data-name="{NAME}"]')
        upload, _, generate = (await row.get_by_label("curl", exact=True).input_value()).split("\n")
        await opened.page.wait_for_timeout(2500)  # services look for new ones every 2 seconds
        where = (await _ran(curl, upload, tmp_path))["imageUrl"]
        made = await _ran(curl, generate.replace("PASTE_IT_HERE", where), tmp_path)
        assert made.get("video", "").endswith(".mp4"), made
        assert "isDemo" not in made
        assert made["workflowResponse"]["prompt_id"]
        await expect(panel.get_by_role("listitem").filter(has_text=NAME)).to_contain_text(
            "succeeded"
        )
        await _shown(opened, "service")
        await switch.click()
        await expect(switch).not_to_be_checked()
        assert not opened.complaints
    told = await asyncio.to_thread(comfyui.get, "/promptreel/sidecar")
    assert told["running"] is False


async def _ran(curl: str, line: str, folder: Path) -> dict[str, Any]:
    """Run a line as a person would paste it; return the JSON that it prints."""
    words = shlex.split(line)
    assert words[0] == "curl"
    command = [curl, "--silent", "--max-time", "120", *words[1:]]
    process = await asyncio.create_subprocess_exec(*command, cwd=folder, stdout=-1)
    out, _ = await process.communicate()
    return json.loads(out)


async def test_strange_workflow_asks_and_its_subgraph_is_opened(
    comfyui: ComfyUI, nothing_published: None
):
    async with editor(comfyui, height=TALL) as opened:
        await opened.page.evaluate("(graph) => app.loadApiJson(graph, 'strange')", STRANGE)
        await opened.page.evaluate(INTO_SUBGRAPH)
        await opened.page.locator(".promptreel-publish-tab-button").click()
        panel = _panel(opened.page)
        await panel.get_by_role("button", name="Read the open workflow").click()
        await expect(panel.get_by_text("Answer what is asked first: ")).to_be_visible()
        publish = panel.get_by_role("button", name="Publish", exact=True)
        await expect(publish).to_be_disabled()
        await _shown(opened, "asked")
        video = panel.get_by_role("combobox", name="Video goes to")
        await expect(video).to_have_value("")
        await video.select_option("8")
        await expect(video).to_be_focused()
        await expect(publish).to_be_enabled()
        inner = panel.get_by_role("button", name=re.compile(r"Show the node .* #\d+:\d+"))
        await inner.first.click()
        assert await opened.page.evaluate("() => app.canvas.graph !== app.rootGraph")
        assert len(await opened.page.evaluate(SELECTED)) == 1
        await panel.get_by_label("Name", exact=True).fill(NAME)
        await publish.click()
        await expect(panel.get_by_text(f"{NAME} is published.")).to_be_visible()
        stored = await asyncio.to_thread(comfyui.get, f"/promptreel/pipelines/{NAME}")
        assert stored["mapping"]["image"] == [["5", "image"]]
        assert not opened.complaints
