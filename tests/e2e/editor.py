"""ComfyUI's editor in a real browser, and the picture of it in the README.

    python -m tests.e2e.editor docs/images/nodes.png

Knows Playwright and the editor's `window.app`; must not know what a test wants.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from playwright.async_api import ConsoleMessage, FloatRect, Page, async_playwright

from tests.e2e.comfyui import install
from tests.e2e.comfyui_server import PACK, ComfyUI
from tests.e2e.landscape import save
from tests.needs import chromium

EXAMPLE = PACK / "example_workflows" / "camera-motion.json"
READY = "() => !!(window.app?.graph && LiteGraph.registered_node_types.PromptReelResult)"
SETTINGS = {
    "Comfy.TutorialCompleted": True,
    "Comfy.Minimap.Visible": False,
    "Comfy.VueNodes.Enabled": False,
    "Comfy.Locale": "en",
    "Comfy.ColorPalette": "dark",
}
NODES_2, RUSSIAN = {"Comfy.VueNodes.Enabled": True}, {"Comfy.Locale": "ru"}
NOTICE = "[ComfyUI Notice]"  # the editor's word for imports that a next version may break
CORNER = (90, 230)  # where the photograph puts the graph, clear of the editor's bars
WITH_CAMERA = """() => {
    const [scene, still, animate] = [2, 3, 4].map((id) => app.graph.getNodeById(id));
    const camera = LiteGraph.createNode("PromptReelCamera");
    app.graph.add(camera);
    camera.pos = [still.pos[0], still.pos[1] + 240];
    camera.size[0] = still.size[0];
    const set = { move: "tilt_up", strength: 0.5, mode: "add" };
    for (const widget of camera.widgets) widget.value = set[widget.name] ?? widget.value;
    scene.connect(0, camera, 0);
    camera.connect(0, animate, animate.findInputSlot("scene"));
}"""
PHOTOGRAPH = (72, 182, 1760, 760)  # left, top, width, height: the graph without those bars


@dataclass
class Editor:
    """An open editor and what it has complained about."""

    page: Page
    complaints: list[str] = field(default_factory=list)

    async def open_workflow(self, workflow: dict[str, Any]) -> None:
        """Open a workflow in UI format, as a click on the template does."""
        await self.page.evaluate("(w) => app.loadGraphData(w)", workflow)

    async def as_prompt(self) -> dict[str, Any]:
        """Return the graph in API format, as the editor would send it."""
        return (await self.page.evaluate("() => app.graphToPrompt()"))["output"]

    async def run(self) -> dict[str, Any]:
        """Queue the graph, wait for its end, and return the outputs by node."""
        await self.page.evaluate("() => app.queuePrompt(0)")
        await self.page.wait_for_function("() => '5' in app.nodeOutputs", timeout=60_000)
        return await self.page.evaluate("() => app.nodeOutputs")


@contextlib.asynccontextmanager
async def editor(
    comfyui: ComfyUI,
    width: int = 1900,
    height: int = 900,
    settings: Mapping[str, Any] = MappingProxyType({}),
) -> AsyncIterator[Editor]:
    """Open the editor on a running server; `settings` are some of the editor's own."""
    comfyui.post("/api/settings", {**SETTINGS, **settings})
    async with async_playwright() as playwright:
        options = {"executable_path": chromium(), "args": ["--no-sandbox"]}
        browser = await playwright.chromium.launch(**options)
        page = await browser.new_page(viewport={"width": width, "height": height})
        opened = Editor(page)
        page.on("pageerror", lambda error: opened.complaints.append(str(error)))
        page.on("console", lambda message: _note(opened, message))
        await page.goto(comfyui.url)
        await page.wait_for_function(READY, timeout=60_000)
        yield opened
        await browser.close()


def _note(opened: Editor, message: ConsoleMessage) -> None:
    """Keep what the browser's console says about the pack."""
    said = f"{message.text} ({(message.location or {}).get('url', '')})"
    about_us = "/extensions/promptreel" in said or NOTICE in said
    if message.type in ("error", "warning") and about_us:
        opened.complaints.append(said)


async def _photograph(comfyui: ComfyUI, target: Path) -> None:
    left, top, width, height = PHOTOGRAPH
    async with editor(comfyui, left + width + 60, top + height + 80) as opened:
        workflow = json.loads(EXAMPLE.read_text(encoding="utf-8"))
        nearest = [min(node["pos"][axis] for node in workflow["nodes"]) for axis in (0, 1)]
        scale = workflow["extra"]["ds"]["scale"]
        moved = [at / scale - first for at, first in zip(CORNER, nearest, strict=True)]
        workflow["extra"]["ds"]["offset"] = moved
        await opened.open_workflow(workflow)
        await opened.page.evaluate(WITH_CAMERA)
        await opened.run()
        await opened.page.locator("video").wait_for(state="attached")
        await opened.page.evaluate("() => (document.querySelector('video').currentTime = 3)")
        await opened.page.wait_for_timeout(8000)  # until the editor's own news has gone
        clip = FloatRect(x=left, y=top, width=width, height=height)
        await opened.page.screenshot(path=target, clip=clip)


@contextlib.contextmanager
def own_server() -> Iterator[ComfyUI]:
    """Run a ComfyUI for a tool: with the pack and the examples' picture, without models."""
    with tempfile.TemporaryDirectory() as folder:
        comfyui = ComfyUI(install(), Path(folder))
        comfyui.link_pack()
        save(comfyui.input_dir / "example.png")
        comfyui.start()
        try:
            yield comfyui
        finally:
            comfyui.stop()


def main(target: Path) -> None:
    """Take the README's picture."""
    with own_server() as comfyui:
        asyncio.run(_photograph(comfyui, target))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
