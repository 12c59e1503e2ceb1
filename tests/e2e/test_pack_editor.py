"""The pack in ComfyUI's own editor, in a real browser."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.e2e.comfyui_play import Graph
from tests.e2e.comfyui_server import ComfyUI
from tests.e2e.editor import EXAMPLE, Editor, editor
from tests.e2e.landscape import landscape, save
from tests.e2e.pack_graphs import ROOT

SMALLER = """() => {
    const widgets = app.graph.getNodeById(1).widgets;
    widgets.find((widget) => widget.name === "resolution").value = "480p";
}"""

pytestmark = [
    pytest.mark.browser,
    pytest.mark.timeout(180),
]


def _bare(graph: Graph) -> dict[str, Any]:
    return {
        number: {"class_type": node["class_type"], "inputs": node["inputs"]}
        for number, node in graph.items()
    }


def _example() -> dict[str, Any]:
    return json.loads(EXAMPLE.read_text(encoding="utf-8"))


async def _said(opened: Editor) -> str:
    """What the Scene node shows."""
    widget = "app.graph.getNodeById(2).widgets.find((w) => w.name === 'understood')"
    await opened.page.wait_for_function(f"() => !!{widget}")
    return await opened.page.evaluate(f"() => {widget}.value")


async def test_example_workflow_opens_runs_and_shows_text_and_video(comfyui: ComfyUI):
    save(comfyui.input_dir / "example.png", landscape(480, 320))
    pipeline = ROOT / "workflows" / "camera-motion" / "graph.json"
    async with editor(comfyui) as opened:
        await opened.open_workflow(_example())
        example = await opened.as_prompt()
        await opened.page.evaluate(SMALLER)
        before = await opened.as_prompt()
        outputs = await opened.run()
        assert [await _said(opened)] == outputs["2"]["text"]
        await opened.page.locator("video").wait_for(state="attached")
        saved = await opened.page.evaluate("() => app.graph.serialize()")
        assert await opened.as_prompt() == before
        assert not opened.complaints
    assert _bare(example) == _bare(json.loads(pipeline.read_text(encoding="utf-8")))
    scene = next(node for node in saved["nodes"] if node["type"] == "PromptReelScene")
    assert len(scene["widgets_values"]) == 2
