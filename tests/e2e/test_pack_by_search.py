"""Each node is placed by hand: a double click on the canvas, its name, a click on what is found."""

from __future__ import annotations

import json

import pytest
from playwright.async_api import Page, expect

from tests.e2e.comfyui_server import PACK, ComfyUI
from tests.e2e.editor import editor
from tests.e2e.pack_graphs import NODES

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]

NOWHERE = (900, 600)  # on the canvas, clear of the editor's bars


async def _placed(page: Page, title: str) -> list[str]:
    """Search for the title; return the types of the nodes that are there after the click."""
    await page.evaluate("() => app.graph.clear()")
    await page.mouse.dblclick(*NOWHERE)
    box = page.get_by_role("combobox").last
    await box.fill(title)
    await page.get_by_role("option").filter(has_text=title).first.click()
    await page.wait_for_function("() => app.graph.nodes.length")
    await expect(box).to_have_count(0)  # it closes a while after the click
    return await page.evaluate("() => app.graph.nodes.map((node) => node.type)")


@pytest.mark.parametrize("language", ["en", "ru"])
async def test_every_node_is_placed_from_the_search_box(comfyui: ComfyUI, language: str):
    words = json.loads((PACK / "locales" / language / "nodeDefs.json").read_text(encoding="utf-8"))
    async with editor(comfyui, height=1000, settings={"Comfy.Locale": language}) as opened:
        opened.page.set_default_timeout(10_000)
        await opened.page.wait_for_function("() => app.graph.nodes.length")  # the first workflow
        for name in NODES:
            assert await _placed(opened.page, words[name]["display_name"]) == [name]
        assert not opened.complaints
