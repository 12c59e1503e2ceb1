"""Makes the pipelines of the newest families: official templates' graphs, by the importer.

    python -m tests.importer.newer workflows

The graphs are in tests/data/foreign (see `convert`), the words about each in `newer.json`. A graph
goes through the importer as ComfyUI would have saved it, in a picture with the workflow's `models`
beside it; the files' sizes are joined afterwards: exact where the pack knows the file, else as the
templates' notes tell them. Nothing is mapped
by hand. A test compares the folders in `workflows/` with what this makes.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from PIL import Image, PngImagePlugin
from promptreel.publish.writing import manifest_text

from sidecar.cli.program import main as promptreel

HERE = Path(__file__).parent
GRAPHS = HERE.parent / "data" / "foreign" / "0.33.0"
FAMILIES: dict[str, dict[str, Any]] = json.loads((HERE / "newer.json").read_text(encoding="utf-8"))
KNOWN = HERE.parents[1] / "custom_nodes" / "promptreel" / "families" / "data" / "models.json"
_UNITS = {"GB": 2**30, "MB": 2**20}  # what the notes mean
_ROUND = 10_000_000  # bytes: the notes tell no more


def make(name: str, folder: Path) -> None:
    """Write one family's pipeline into a folder of pipelines."""
    row = FAMILIES[name]
    record = json.loads((GRAPHS / f"{row['template']}.json").read_text(encoding="utf-8"))
    with tempfile.TemporaryDirectory() as made:
        picture = Path(made) / f"{name}.png"
        saved(picture, record["graph"], record["models"])
        words = [f"--{key}={row[key]}" for key in ("title", "description", "requires")]
        options = ["--pipelines-dir", str(Path(made)), "--name", "made", "--yes", *words]
        if promptreel(["pipelines", "add", str(picture), *options]) != 0:
            raise SystemExit(f"{name} can't be made")
        place = folder / name
        place.mkdir(parents=True, exist_ok=True)
        for file in ("graph.json", "pipeline.json"):
            text = (Path(made) / "made" / file).read_text(encoding="utf-8")
            if file == "pipeline.json":
                text = _with_facts(json.loads(text), row["licence"])
            (place / file).write_text(text, encoding="utf-8", newline="\n")


def saved(path: Path, graph: Any, models: Any) -> None:
    """Save a picture as ComfyUI's SaveImage does: the graph, and the workflow with its models."""
    texts = PngImagePlugin.PngInfo()
    texts.add_text("prompt", json.dumps(graph))
    workflow = {"nodes": [{"id": 1, "type": "Loader", "properties": {"models": models}}]}
    texts.add_text("workflow", json.dumps(workflow))
    Image.new("RGB", (8, 8)).save(path, pnginfo=texts)


def sizes() -> dict[str, int]:
    """Bytes by file: what the notes of all templates tell ("27.14 GB"), or what the pack knows."""
    told: dict[str, str] = {}
    for path in sorted(GRAPHS.glob("*.json")):
        told |= json.loads(path.read_text(encoding="utf-8")).get("sizes", {})
    exact = {row["name"]: row["bytes"] for row in pack_models() if row["bytes"]}
    return {name: _bytes(text) for name, text in told.items()} | exact


def pack_models() -> list[dict[str, Any]]:
    """Return what the pack knows of model files."""
    return json.loads(KNOWN.read_text(encoding="utf-8"))["models"]


def _bytes(text: str) -> int:
    number, _, unit = text.partition(" ")
    return round(float(number) * _UNITS[unit] / _ROUND) * _ROUND


def _with_facts(manifest: Any, licences: dict[str, str]) -> str:
    known = sizes()
    own = {row["name"]: row["licence"] for row in pack_models() if row["licence"]}
    for row in manifest["models"]:
        if row["name"] in own:
            row["licence"] = own[row["name"]]
        if row["name"] in known:
            row["bytes"] = known[row["name"]]
        for start, licence in licences.items():
            if row["name"].startswith((start, start.replace("-", "_", 1))):
                row["licence"] = licence
    return manifest_text(manifest)


if __name__ == "__main__":
    for one in FAMILIES:
        make(one, Path(sys.argv[1]))
