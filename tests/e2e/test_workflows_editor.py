"""The model pipelines as example workflows, opened in ComfyUI's own editor."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from promptreel.families import FAMILIES, KEYFRAMES

from tests.e2e.comfyui import Installation
from tests.e2e.comfyui_play import Graph
from tests.e2e.comfyui_server import ComfyUI
from tests.e2e.editor import Editor, editor
from tests.e2e.example_workflows import EXAMPLES, WORKFLOWS, graph, made_by_models
from tests.e2e.landscape import save

DIALOG = ".comfy-missing-models"
OFFERED = """() => [...document.querySelectorAll(".comfy-missing-models li")].map((row) => [
    row.querySelector("span[title]").innerText,  // folder / name
    row.querySelector("button[title]").title,  // what its Download fetches
])"""
BROWSE = "() => app.extensionManager.command.execute('Comfy.BrowseTemplates')"
NEW_LOADER = """(type) => {
    const node = LiteGraph.createNode(type);
    app.graph.add(node);
    return [node.size[0], node.widgets.map((w) => `${w.label ?? w.name} ${w.value}`)];
}"""
SHOWS = "(image) => image.naturalWidth === 480 && image.naturalHeight === 480"  # ours, no stand-in
BOXES = "() => app.graph.nodes.map((node) => [...node.getBounding()])"

pytestmark = [
    pytest.mark.browser,
    pytest.mark.timeout(180),
]


@pytest.fixture(scope="module")
def without_models(
    comfyui_installation: Installation, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ComfyUI]:
    """A server with the pack and not one model file."""
    server = ComfyUI(comfyui_installation, tmp_path_factory.mktemp("without"))
    server.link_pack()
    save(server.input_dir / "example.png")
    server.start()
    yield server
    server.stop()


async def test_examples_open_as_the_pipelines_and_offer_what_is_missing(without_models: ComfyUI):
    async with editor(without_models) as opened:
        for name in made_by_models():
            await opened.open_workflow(example(name))
            assert await offered(opened) == files(name), name
            assert bare(await opened.as_prompt()) == bare(graph(name)), name
            assert apart(await opened.page.evaluate(BOXES)), name
            assert await said(opened) == "", name
        assert not opened.complaints


async def test_a_new_loader_shows_what_is_missing_uncut(without_models: ComfyUI):
    async with editor(without_models) as opened:
        for family in (*FAMILIES.values(), *KEYFRAMES.values()):
            width, texts = await opened.page.evaluate(NEW_LOADER, family.node_id)
            assert all("missing: " in text for text in texts[: len(family.slots)]), texts
            assert width >= max(len(text) for text in texts) * 5.5, family.id  # px of a letter


async def test_the_template_browser_shows_each_examples_picture(without_models: ComfyUI):
    async with editor(without_models) as opened:
        await opened.page.evaluate(BROWSE)
        await opened.page.get_by_text("promptreel", exact=True).last.click()
        for name in (*made_by_models(), "camera-motion"):
            card = opened.page.get_by_test_id(f"template-workflow-{name}")
            await card.scroll_into_view_if_needed()
            shown = card.locator("img").first
            await shown.wait_for()
            await opened.page.wait_for_function(SHOWS, arg=await shown.element_handle())


async def test_a_click_in_the_template_browser_opens_one(without_models: ComfyUI):
    assert set(made_by_models()) < set(without_models.get("/workflow_templates")["promptreel"])
    async with editor(without_models) as opened:
        await opened.page.evaluate(BROWSE)
        await opened.page.get_by_text("promptreel", exact=True).last.click()
        await opened.page.get_by_test_id("template-workflow-svd").click()
        assert await offered(opened) == files("svd")
        assert bare(await opened.as_prompt()) == bare(graph("svd"))


async def test_nothing_is_offered_where_the_models_are(comfyui: ComfyUI):
    save(comfyui.input_dir / "example.png")
    async with editor(comfyui) as opened:
        for name in made_by_models():
            await opened.open_workflow(example(name))
            await opened.page.wait_for_timeout(500)
            assert not await opened.page.locator(DIALOG).count(), name


def example(name: str) -> dict[str, Any]:
    return json.loads((EXAMPLES / f"{name}.json").read_text(encoding="utf-8"))


def files(name: str) -> list[tuple[str, str]]:
    """The label and the address of each model file of a pipeline."""
    manifest = json.loads((WORKFLOWS / name / "pipeline.json").read_text(encoding="utf-8"))
    rows = manifest["models"]
    return sorted((f"{row['folder']} / {row['name']}", row["source"]) for row in rows)


async def offered(opened: Editor) -> list[tuple[str, str]]:
    """What the editor's dialog offers for download; closes it."""
    await opened.page.locator(DIALOG).wait_for()
    rows = await opened.page.evaluate(OFFERED)
    await opened.page.keyboard.press("Escape")
    await opened.page.locator(DIALOG).wait_for(state="detached")
    return sorted((label, address) for label, address in rows)


async def said(opened: Editor) -> str:
    """The editor's alerts: it says there what is wrong with a workflow file."""
    return await opened.page.evaluate("() => document.querySelector('.p-toast')?.innerText ?? ''")


def apart(boxes: list[list[float]]) -> bool:
    """Whether no two of left, top, width, height overlap."""
    pairs = ((a, b) for at, a in enumerate(boxes) for b in boxes[:at])
    return not any(
        all(a[i] < b[i] + b[i + 2] and b[i] < a[i] + a[i + 2] for i in (0, 1)) for a, b in pairs
    )


def bare(graph: Graph) -> dict[str, Any]:
    return {
        number: {"class_type": node["class_type"], "inputs": node["inputs"]}
        for number, node in graph.items()
    }
