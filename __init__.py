"""For a clone of this repository straight into ComfyUI/custom_nodes; nothing else imports it.

The pack loads from `custom_nodes/promptreel` (see prestartup_script.py), so that there are no nodes
here. Only where ComfyUI was told to load this folder alone (--disable-all-custom-nodes with
--whitelist-custom-nodes) does it pass that folder over; then the nodes come from here.
"""

import sys


def _pack_is_passed_over() -> bool:
    cli = sys.modules.get("comfy.cli_args")
    args = getattr(cli, "args", None)
    alone = getattr(args, "disable_all_custom_nodes", False)
    return alone and "promptreel" not in getattr(args, "whitelist_custom_nodes", ())


if _pack_is_passed_over():
    from .custom_nodes.promptreel import comfy_entrypoint as comfy_entrypoint

    WEB_DIRECTORY = "./custom_nodes/promptreel/web"
else:
    NODE_CLASS_MAPPINGS: dict[str, type] = {}
