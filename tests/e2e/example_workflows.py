"""Writes the pack's example workflows out of `workflows/`, by means of ComfyUI's own editor.

    python -m tests.e2e.example_workflows [NAME ...]     all that our model nodes make, or these

The editor opens a pipeline's graph, the nodes are laid out, every loader gets the list of its files
(the `models` property, by which the editor offers missing ones for download), and what the editor
would save becomes `custom_nodes/promptreel/example_workflows/NAME.json`.
Knows the editor and the pack's nodes; must not know families.
"""

from __future__ import annotations

import asyncio
import json
import sys
import uuid
from pathlib import Path
from typing import Any

from tests.e2e.comfyui_play import Graph
from tests.e2e.comfyui_server import PACK, ComfyUI
from tests.e2e.editor import Editor, editor, own_server

WORKFLOWS = Path(__file__).parents[2] / "workflows"
EXAMPLES = PACK / "example_workflows"
MAKER, KEYFRAME = "PromptReelImageToVideo", "PromptReelKeyframe"

LEFT, TOP, GAP, TITLE = 40, 80, 60, 40
WIDE = {"PromptReelRequest": 360, KEYFRAME: 320, MAKER: 320, "PromptReelResult": 440}
LOADER_WIDE = 540  # file names are long, beside what they are; the Scene stands below a loader
TALL = {"PromptReelRequest": 640, "PromptReelScene": 300, "PromptReelResult": 460}
TEXT_ROOM = 150  # below the widgets, for what a node says when it has run

OPEN = """async ([graph, name]) => {
    await app.loadApiJson(graph, name);
    for (const node of app.graph.nodes)
        for (const widget of node.widgets ?? []) {
            const linked = node.inputs.find((i) => i.widget?.name === widget.name)?.link != null;
            if (widget.name === "control_after_generate") widget.value = "fixed";
            if (linked && typeof widget.value === "string") widget.value = "";
        }
}"""
SIZES = "() => app.graph.nodes.map((node) => [String(node.id), [...node.computeSize()]])"
ARRANGE = """(places) => {
    for (const [id, [left, top, width, height]] of Object.entries(places)) {
        const node = app.graph.getNodeById(id);
        node.pos = [left, top];
        node.setSize([width, height]);
    }
    app.canvas.ds.scale = 0.7;
    app.canvas.ds.offset = [60, 150];
    const unseen = (key, value) => (key === "localized_name" ? undefined : value);
    return JSON.stringify(app.graph.serialize(), unseen);
}"""


def made_by_models() -> list[str]:
    """The pipelines that our model nodes make."""
    found = (path.parent.name for path in sorted(WORKFLOWS.glob("*/graph.json")))
    return [name for name in found if MAKER in {n["class_type"] for n in graph(name).values()}]


def graph(name: str) -> Graph:
    """A pipeline's graph in API format."""
    return json.loads((WORKFLOWS / name / "graph.json").read_text(encoding="utf-8"))


def columns(graph: Graph) -> list[list[str]]:
    """Return the nodes in columns from left to right; a loader stands before what it feeds."""
    node = {value["class_type"]: name for name, value in graph.items()}  # a class comes once
    loads = graph[node[MAKER]]["inputs"]["model"][0]
    before = [[loads, node["PromptReelScene"]]]
    if KEYFRAME in node:
        draws = graph[node[KEYFRAME]]["inputs"]["model"][0]
        before = [[draws, node["PromptReelScene"]], [loads, node[KEYFRAME]]]
    return [[node["PromptReelRequest"]], *before, [node[MAKER]], [node["PromptReelResult"]]]


def places(graph: Graph, sizes: dict[str, tuple[float, float]]) -> dict[str, list[int]]:
    """Return left, top, width and height of every node, so that none touches another."""
    found: dict[str, list[int]] = {}
    left = LEFT
    for column in columns(graph):
        width, top = max(WIDE.get(graph[name]["class_type"], LOADER_WIDE) for name in column), TOP
        for name in column:
            height = round(_height(graph[name]["class_type"], sizes[name][1]))
            found[name] = [left, top, width, height]
            top += height + TITLE + GAP  # a loader says below it what is missing
        left += width + GAP
    return found


def _height(kind: str, widgets: float) -> float:
    return TALL.get(kind, widgets + (TEXT_ROOM if kind in (MAKER, KEYFRAME) else 0))


async def example(opened: Editor, name: str) -> dict[str, Any]:
    """Return a pipeline's graph as the editor saves it."""
    asked = graph(name)
    await opened.page.evaluate(OPEN, [asked, name])
    sizes = dict(await opened.page.evaluate(SIZES))
    saved = json.loads(await opened.page.evaluate(ARRANGE, places(asked, sizes)))
    saved["id"] = str(uuid.uuid5(uuid.NAMESPACE_URL, f"promptreel/{name}"))
    for node in saved["nodes"]:
        files = offered(name, asked[str(node["id"])])
        node["properties"] = {"Node name for S&R": node["type"], **files}
    saved["nodes"].sort(key=lambda node: node["id"])
    return saved


def offered(name: str, node: dict[str, Any]) -> dict[str, Any]:
    """The `models` property of a node: those of the pipeline's files that its widgets name."""
    manifest = json.loads((WORKFLOWS / name / "pipeline.json").read_text(encoding="utf-8"))
    widgets = list(node["inputs"].values())
    rows = [
        {"name": row["name"], "url": row["source"], "directory": row["folder"]}
        for row in manifest["models"]
        if row["name"] in widgets
    ]
    return {"models": rows} if rows else {}


async def write(comfyui: ComfyUI, names: list[str]) -> None:
    """Write the examples of these pipelines."""
    async with editor(comfyui) as opened:
        for name in names:
            made = json.dumps(await example(opened, name), indent=1, ensure_ascii=False)
            (EXAMPLES / f"{name}.json").write_text(f"{made}\n", encoding="utf-8")
            print(name)
        if opened.complaints:
            sys.exit("\n".join(opened.complaints))


def main(names: list[str]) -> None:
    """Write them on a server of its own, without models."""
    with own_server() as comfyui:
        asyncio.run(write(comfyui, names or made_by_models()))


if __name__ == "__main__":
    main(sys.argv[1:])
