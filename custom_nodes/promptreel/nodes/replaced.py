"""Nodes that have taken the place of others. There are none: node ids are for ever.

Should an id ever have to change, add a row to REPLACED. It holds the arguments of ComfyUI's
`io.NodeReplace`, such as

    {"old_node_id": "PromptReelOld", "new_node_id": "PromptReelScene",
     "input_mapping": [{"new_id": "text", "old_id": "sentence"}],
     "output_mapping": [{"new_idx": 0, "old_idx": 0}]}

and keep the old class, deprecated, for a ComfyUI that knows no replacements (before 0.14).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from comfy_api import latest

REPLACED: Sequence[Mapping[str, Any]] = ()


async def announce(rows: Sequence[Mapping[str, Any]] = REPLACED) -> int:
    """Register the rows with ComfyUI, if it can; return how many."""
    replace = getattr(latest.io, "NodeReplace", None)
    if not rows or replace is None:
        return 0
    known = getattr(latest.ComfyAPI(), "node_replacement", None)
    if known is None:
        return 0
    for row in rows:
        await known.register(replace(**row))
    return len(rows)
