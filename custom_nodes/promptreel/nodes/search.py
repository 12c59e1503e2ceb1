"""Other words by which the editor's search finds a node, where ComfyUI knows such (from 0.11 on).

The words are data: `aliases.json`. Must not know ComfyUI, which is asked by its signature only.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any


@cache
def words() -> dict[str, list[str]]:
    """Return the aliases by node id."""
    path = Path(__file__).with_name("aliases.json")
    return json.loads(path.read_text(encoding="utf-8"))


def aliases(schema: Callable[..., Any], node_id: str) -> dict[str, list[str]]:
    """Return what tells a ComfyUI's Schema a node's aliases; nothing where it takes none."""
    known = "search_aliases" in inspect.signature(schema).parameters
    return {"search_aliases": words()[node_id]} if known and node_id in words() else {}
