"""What the nodes show while one works in the editor: the text as it is typed, the camera's path.

In both of the editor's renderers. `PROMPTREEL_SHOTS=FOLDER` keeps a picture of each case.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.by_hand import BY_HAND
from tests.e2e.comfyui_server import ComfyUI
from tests.e2e.editor import EXAMPLE, NODES_2, RUSSIAN, Editor, editor
from tests.e2e.landscape import landscape, save

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]

RENDERERS = pytest.mark.parametrize("renderer", [{}, NODES_2], ids=["canvas", "nodes2"])
REQUEST, SCENE, ANIMATE = 1, 2, 4
SAID = "(id) => app.graph.getNodeById(id).widgets.find((w) => w.name === 'understood')?.value ?? ''"
SAYS = f"([id, text]) => ({SAID})(id).includes(text)"
PANEL = (
    """(id) => app.graph.getNodeById(id).widgets.find((w) => w.name === "understood")?.element"""
)
COLORS = f"""(id) => {{
    const canvas = ({PANEL})(id)?.querySelector("canvas");
    if (!canvas?.isConnected || !canvas.width) return null;
    const {{ data }} = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    const off = (at, color, axis) => Math.abs(data[at + axis] - color[axis]);
    const near = (at, color) => [0, 1, 2].every((axis) => off(at, color, axis) < 24);
    const count = {{ start: 0, end: 0, grey: 0 }};
    const colors = {{ start: [255, 176, 96], end: [92, 200, 255], grey: [107, 111, 118] }};
    for (let at = 0; at < data.length; at += 4)
        for (const [name, color] of Object.entries(colors)) count[name] += near(at, color);
    return count;
}}"""
MISSING = "model.safetensors"
WARNED = """(type) => {
    const node = app.graph.nodes.find((node) => node.type === type);
    const panel = node.widgets.find((w) => w.name === "understood")?.element;
    return panel?.checkVisibility() ? panel.querySelector(".promptreel-warnings").textContent : "";
}"""
DRAWN = f"(id) => (({COLORS})(id)?.start ?? 0) > 200"


def _example() -> dict[str, Any]:
    return json.loads(EXAMPLE.read_text(encoding="utf-8"))


async def _says(opened: Editor, node: int, text: str) -> None:
    await opened.page.wait_for_function(SAYS, arg=[node, text])


async def _shown(opened: Editor, name: str) -> None:
    """Keep a picture for somebody to look at, if asked."""
    if os.environ.get("PROMPTREEL_SHOTS"):
        await opened.page.wait_for_timeout(800)
        await opened.page.screenshot(path=Path(os.environ["PROMPTREEL_SHOTS"]) / f"{name}.png")


async def _saved(opened: Editor) -> dict[str, Any]:
    """What would be saved of the graph, without sizes, which follow what is shown."""
    saved = json.loads(await opened.page.evaluate("() => JSON.stringify(app.graph.serialize())"))
    return {
        node["type"]: {key: node.get(key) for key in ("widgets_values", "properties", "inputs")}
        for node in saved["nodes"]
    }


@RENDERERS
async def test_what_is_understood_is_shown_as_it_is_typed(comfyui: ComfyUI, renderer: dict):
    save(comfyui.input_dir / "example.png", landscape(480, 320))
    async with editor(comfyui, settings=renderer) as opened:
        await opened.open_workflow(_example())
        before, saved = await opened.as_prompt(), await _saved(opened)
        await _says(opened, REQUEST, "pans left")
        assert await opened.as_prompt() == before
        assert await _saved(opened) == saved
        text = opened.page.locator("textarea").first
        await text.click()
        await text.press("Control+a")
        await opened.page.keyboard.type("tilt up, 3 seconds", delay=20)
        for node in (REQUEST, SCENE):  # the Scene's text comes by a link
            await _says(opened, node, "The camera tilts up; 3 seconds.")
        shown = opened.page.get_by_text("The camera tilts up; 3 seconds.")
        assert await shown.first.is_visible()
        await _shown(opened, f"typed-{bool(renderer)}")
        assert (await opened.as_prompt())["1"]["inputs"]["text"] == "tilt up, 3 seconds"
        assert (await opened.as_prompt()).keys() == before.keys()
        assert not opened.complaints


@RENDERERS
async def test_text_is_understood_in_the_editors_language(comfyui: ComfyUI, renderer: dict):
    save(comfyui.input_dir / "example.png", landscape(480, 320))
    async with editor(comfyui, settings=renderer | RUSSIAN) as opened:
        await opened.open_workflow(_example())
        await _says(opened, REQUEST, "Камера")
        titles = await opened.page.evaluate("() => app.graph.nodes.map((node) => node.title)")
        assert titles[0] == "PromptReel: запрос"
        await opened.page.wait_for_function(DRAWN, arg=ANIMATE)
        await _shown(opened, f"russian-{bool(renderer)}")
        assert not opened.complaints


@RENDERERS
async def test_path_is_drawn_on_the_picture_and_plays(comfyui: ComfyUI, renderer: dict):
    save(comfyui.input_dir / "example.png", landscape(480, 320))
    async with editor(comfyui, settings=renderer) as opened:
        await opened.open_workflow(_example())
        for node in (SCENE, ANIMATE):
            await opened.page.wait_for_function(DRAWN, arg=node)
            colors = await opened.page.evaluate(COLORS, node)
            assert colors["end"] > 200
        still = await opened.page.evaluate(
            f"(id) => ({PANEL})(id).querySelector('canvas').toDataURL()", ANIMATE
        )
        await opened.page.get_by_role("button", name="Play the camera's path").last.click()
        await opened.page.get_by_role("button", name="Stop").wait_for()
        await opened.page.wait_for_timeout(500)
        moving = await opened.page.evaluate(COLORS, ANIMATE)
        assert moving["end"] < 100 < moving["start"]
        await opened.page.get_by_role("button", name="Stop").click()
        again = await opened.page.evaluate(
            f"(id) => ({PANEL})(id).querySelector('canvas').toDataURL()", ANIMATE
        )
        assert again == still
        assert not opened.complaints


async def test_path_follows_links_and_goes_with_them(comfyui: ComfyUI):
    save(comfyui.input_dir / "example.png", landscape(480, 320))
    async with editor(comfyui) as opened:
        await opened.open_workflow(_example())
        await opened.page.wait_for_function(DRAWN, arg=ANIMATE)
        unlink = """([id, name]) => {
            const node = app.graph.getNodeById(id);
            node.disconnectInput(node.findInputSlot(name));
        }"""
        link = """() => {
            const made = LiteGraph.createNode("EmptyImage");
            app.graph.add(made);
            made.connect(0, app.graph.getNodeById(4), 0);
        }"""
        await opened.page.evaluate(unlink, [ANIMATE, "image"])
        await opened.page.wait_for_function(f"(id) => ({COLORS})(id) === null", arg=ANIMATE)
        await opened.page.evaluate(link)  # a picture that isn't there yet
        await opened.page.wait_for_function(f"(id) => ({COLORS})(id)?.grey > 1000", arg=ANIMATE)
        await opened.page.evaluate(unlink, [ANIMATE, "scene"])
        await opened.page.wait_for_function(f"(id) => ({COLORS})(id) === null", arg=ANIMATE)
        assert not opened.complaints


@RENDERERS
async def test_nodes_by_hand_have_colours_and_warn_before_they_run(
    comfyui: ComfyUI, renderer: dict
):
    save(comfyui.input_dir / "example.png", landscape(480, 320))
    async with editor(comfyui, settings=renderer) as opened:
        made = await opened.page.evaluate(BY_HAND, MISSING)
        colors = {kind: color for kind, _, color, _ in made}
        assert all(colors.values())
        assert len(set(colors.values())) == 4  # picture, scene, model, output
        assert all(width >= 300 for *_, width in made)
        expected = {
            "PromptReelWan22Model": "Model files missing: 1.",
            "PromptReelImageToVideo": "at most 5.06 s",
            "PromptReelAnimate": "it will be 1278x720",
        }
        for kind, said in expected.items():
            wanted = f"([kind, said]) => ({WARNED})(kind).includes(said)"
            await opened.page.wait_for_function(wanted, arg=[kind, said])
        assert "1008x560" in await opened.page.evaluate(WARNED, "PromptReelImageToVideo")
        camera = next(number for kind, number, *_ in made if kind == "PromptReelCamera")
        await _says(opened, camera, "tilts up, then orbits left")
        await opened.page.wait_for_function(DRAWN, arg=camera)
        await _shown(opened, f"by-hand-{bool(renderer)}")
        assert not opened.complaints


async def test_saved_colours_stay_and_a_saved_node_without_any_gets_none(comfyui: ComfyUI):
    async with editor(comfyui) as opened:
        workflow = _example()
        for node in workflow["nodes"]:
            del node["color"], node["bgcolor"]
        scene = next(node for node in workflow["nodes"] if node["type"] == "PromptReelScene")
        scene["color"] = "#123456"
        await opened.open_workflow(workflow)
        colors = "() => Object.fromEntries(app.graph.nodes.map((n) => [n.type, n.color ?? null]))"
        found = await opened.page.evaluate(colors)
        assert found.pop("PromptReelScene") == "#123456"
        assert set(found.values()) == {None}
