"""One node's declaration, with its words read from `locales/en/nodeDefs.json`.

So the names and tooltips that people read stand in one place per language, beside each other.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from comfy_api.latest import io

from .search import aliases

CATEGORY = "PromptReel"
INTERNAL = "PromptReel/internal"
SceneType = io.Custom("PROMPTREEL_SCENE")

_WORDS = Path(__file__).parents[1] / "locales" / "en" / "nodeDefs.json"


def schema(
    node_id: str,
    inputs: Sequence[io.Input],
    outputs: Sequence[io.Output] = (),
    *,
    hidden: Sequence[io.Hidden] = (),
    is_output_node: bool = False,
    expands: bool = False,
    internal: bool = False,
) -> io.Schema:
    """Return the schema of a node of the pack. Raises KeyError where a word is missing.

    `expands`: it becomes other nodes when it runs. `internal`: only such an expansion uses it;
    "deprecated" is what keeps a node out of the editor's search and menus.
    """
    words = _words()[node_id]
    for given in inputs:
        given.display_name = words["inputs"][given.id]["name"]
        given.tooltip = words["inputs"][given.id]["tooltip"]
    for index, made in enumerate(outputs):
        made.display_name = words["outputs"][str(index)]["name"]
        made.tooltip = words["outputs"][str(index)]["tooltip"]
    return io.Schema(
        node_id=node_id,
        display_name=words["display_name"],
        description=words["description"],
        category=INTERNAL if internal else CATEGORY,
        inputs=list(inputs),
        outputs=list(outputs),
        hidden=list(hidden),
        is_output_node=is_output_node,
        is_deprecated=internal,
        enable_expand=expands,
        **aliases(io.Schema, node_id),
    )


@cache
def _words() -> dict[str, Any]:
    return json.loads(_WORDS.read_text(encoding="utf-8"))
