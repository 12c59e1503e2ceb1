"""Turns workflows of the editor into API graphs by the editor itself; run by hand, for test data.

    python -m tests.importer.convert OUT TEMPLATE.json...            on the tests' own ComfyUI
    python -m tests.importer.convert --url URL OUT TEMPLATE.json...  on a ComfyUI that runs already

Each template (UI format) is opened in Chromium by `app.loadGraphData`, asked for as API format by
`app.graphToPrompt`, and written to OUT/<name>.json with the texts the importer can use: the graph,
and the rows of the nodes' `models` properties. A template with a node class that the ComfyUI does
not have is left out and named. `--wake` switches bypassed LoadImage nodes on first, as a person
does who follows such a template's note. Knows the editor; must not know the importer.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import re
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

from playwright.async_api import Page, async_playwright

from tests.e2e.comfyui import install
from tests.e2e.comfyui_server import ComfyUI
from tests.e2e.editor import SETTINGS
from tests.needs import chromium

READY = "() => !!(window.app?.graph && LiteGraph.registered_node_types.KSampler)"
KNOWN = "(names) => names.filter((name) => !(name in LiteGraph.registered_node_types))"
CONVERT = "async (w) => { await app.loadGraphData(w); return (await app.graphToPrompt()).output; }"


@contextlib.contextmanager
def _running(url: str | None) -> Iterator[str]:
    if url:
        yield url
        return
    with tempfile.TemporaryDirectory() as folder:
        comfyui = ComfyUI(install(), Path(folder))
        comfyui.start()
        comfyui.post("/api/settings", SETTINGS)
        try:
            yield comfyui.url
        finally:
            comfyui.stop()


@contextlib.asynccontextmanager
async def _page(url: str) -> AsyncIterator[Page]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=chromium(), args=["--no-sandbox"]
        )
        page = await browser.new_page()
        await page.goto(url)
        await page.wait_for_function(READY, timeout=120_000)
        yield page
        await browser.close()


def _nodes(workflow: Any) -> Iterator[dict[str, Any]]:
    """Every node, those inside subgraphs too."""
    yield from workflow.get("nodes", [])
    for inner in workflow.get("definitions", {}).get("subgraphs", []):
        yield from _nodes(inner)


def _models(workflow: Any) -> list[dict[str, str]]:
    """The rows of all `models` properties: name, url, directory."""
    rows = [
        row for node in _nodes(workflow) for row in node.get("properties", {}).get("models", [])
    ]
    unique = {(row["directory"], row["name"]): row for row in rows if row.get("directory")}
    return [{key: row[key] for key in ("name", "url", "directory")} for row in unique.values()]


def _sizes(workflow: Any) -> dict[str, str]:
    """The files' sizes where the template's notes tell them: "[name](address) (27.14 GB)"."""
    notes = " ".join(
        str(node.get("widgets_values")) for node in _nodes(workflow) if "Note" in node["type"]
    )
    return dict(re.findall(r"\[([^\]\s]+\.safetensors)\]\([^)]*\) \(([0-9.]+ [GM]B)\)", notes))


async def _convert(page: Page, workflow: Any) -> dict[str, Any] | str:
    """Return the graph, or the classes that are missing."""
    subgraphs = {inner["id"] for inner in workflow.get("definitions", {}).get("subgraphs", [])}
    virtual = {"Note", "MarkdownNote", "PrimitiveNode", "Reroute"}
    classes = {node["type"] for node in _nodes(workflow)} - subgraphs - virtual
    missing = await page.evaluate(KNOWN, sorted(classes))
    if missing:
        return ", ".join(missing)
    return await page.evaluate(CONVERT, workflow)


def _compact(graph: dict[str, Any]) -> dict[str, Any]:
    """A graph as the editor saves it, less the `_meta` that names the class once more."""
    return {
        key: {name: node[name] for name in ("class_type", "inputs")} for key, node in graph.items()
    }


def _read(path: Path, wake: bool) -> Any:
    workflow = json.loads(path.read_text(encoding="utf-8"))
    for node in _nodes(workflow):
        if wake and node["type"] == "LoadImage":
            node["mode"] = 0
    return workflow


async def _all(url: str, out: Path, templates: list[Path], wake: bool) -> None:
    async with _page(url) as page:
        for path in templates:
            workflow = _read(path, wake)
            graph = await _convert(page, workflow)
            if isinstance(graph, str):
                print(f"{path.stem}: left out, unknown nodes: {graph}")
                continue
            record = {
                "models": _models(workflow),
                "sizes": _sizes(workflow),
                "graph": _compact(graph),
            }
            text = json.dumps(record, ensure_ascii=False, separators=(",", ":"))
            (out / path.name).write_text(text + "\n", encoding="utf-8")
            print(f"{path.stem}: {len(graph)} nodes")


def main() -> None:
    """Convert what the command line names."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--url")
    parser.add_argument("--wake", action="store_true")
    parser.add_argument("out", type=Path)
    parser.add_argument("templates", type=Path, nargs="+")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    with _running(arguments.url) as url:
        asyncio.run(_all(url, arguments.out, arguments.templates, arguments.wake))


if __name__ == "__main__":
    main()
