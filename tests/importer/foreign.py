"""The graphs of tests/data/foreign, and what is expected of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from promptreel.publish.findings import Findings, Question
from promptreel.publish.knowledge import load_knowledge
from promptreel.publish.tracing import Slots
from promptreel.publish.view import View

FOREIGN = Path(__file__).parents[1] / "data" / "foreign"
EXPECTED: dict[str, dict[str, str]] = json.loads(
    (FOREIGN / "expected.json").read_text(encoding="utf-8")
)
KNOWLEDGE = load_knowledge()


def record(name: str) -> dict[str, Any]:
    """Return graph, models and sizes."""
    return json.loads((FOREIGN / f"{name}.json").read_text(encoding="utf-8"))


def graph(name: str) -> dict[str, Any]:
    """Return the graph alone."""
    return record(name)["graph"]


def view(graph: dict[str, Any]) -> View:
    """Return a graph as the importer sees it without a ComfyUI to ask."""
    return View(graph, KNOWLEDGE)


def named(slots: Slots) -> set[str]:
    """Return widgets as `expected.json` has them."""
    return {f"{slot.node}.{slot.input}" if slot.input else slot.node for slot in slots}


def mapped(found: Findings) -> dict[str, set[str]]:
    """Return what was found, as `expected` returns it."""
    nodes = {"video": {found.video}, **({"still": {found.still}} if found.still else {})}
    return {**nodes, **{name: named(slots) for name, slots in found.mapping.items()}}


def offered(question: Question) -> set[str]:
    """Return what a person may choose from."""
    return set().union(*(named(slots) for slots in question.choices))


def expected(name: str) -> dict[str, set[str]]:
    """Return what is expected to be found: parameter to widgets."""
    other = ("refused", "unsure", "choices")
    return {key: set(text.split()) for key, text in EXPECTED[name].items() if key not in other}


def of_kind(kind: str) -> list[str]:
    """Return the graphs that are "refused", "unsure", or (kind "") mapped without a question."""
    marks = {"refused", "unsure"}
    return [
        name for name, row in EXPECTED.items() if (kind in row if kind else not marks & row.keys())
    ]
