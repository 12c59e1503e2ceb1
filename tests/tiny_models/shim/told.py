"""A node for the tests only: tells the graph that really ran, expansions included, as JSON."""

from __future__ import annotations

import json


class ToldGraph:
    """Its ui holds `graph`: all nodes, and which node each expanded one belongs to."""

    RETURN_TYPES = ()
    FUNCTION = "tell"
    OUTPUT_NODE = True
    CATEGORY = "tests"

    @classmethod
    def INPUT_TYPES(cls):  # noqa: N802  ComfyUI's name
        return {"required": {"after": ("*", {})}, "hidden": {"dynprompt": "DYNPROMPT"}}

    @classmethod
    def VALIDATE_INPUTS(cls, input_types):  # noqa: N802
        return True

    def tell(self, after, dynprompt):
        names = sorted(dynprompt.all_node_ids())
        nodes = {name: dynprompt.get_node(name) for name in names}
        parents = {name: dynprompt.get_parent_node_id(name) for name in names}
        shown = {n: {k: node[k] for k in ("class_type", "inputs")} for n, node in nodes.items()}
        return {"ui": {"graph": [json.dumps({"nodes": shown, "parents": parents})]}}
