"""Is the pack loaded by that ComfyUI? Tried as ComfyUI does it, without starting its server."""

from __future__ import annotations

import os
from pathlib import Path

from .comfyui import ComfyUI
from .console import Told, Trouble, capture, say

# Arguments: ComfyUI's folder, the pack's place. One line tells how many nodes there are; without
# ComfyUI itself (the desktop app's lies elsewhere; a broken one can't be imported) the engine alone
# is tried.
_CODE = r"""
import asyncio, importlib.util, os, sys
folder, place = sys.argv[1:]
def engine():
    spec = importlib.util.spec_from_file_location("promptreel", os.path.join(place, "__init__.py"))
    module = sys.modules["promptreel"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    import promptreel.engine.encode, promptreel.engine.scene
def comfyui():
    os.chdir(folder)
    sys.path.insert(0, folder)
    sys.argv = ["main.py", "--cpu", "--disable-all-custom-nodes"]
    import comfy.options
    comfy.options.enable_args_parsing()
    import nodes
    return nodes
try:
    nodes = comfyui() if os.path.isfile(os.path.join(folder, "nodes.py")) else None
except Exception as error:
    print("promptreel-why", " ".join(f"{type(error).__name__}: {error}".split()))
    nodes = None
if nodes is None:
    engine()
    print("promptreel-nodes", 0)
elif asyncio.run(nodes.load_custom_node(place)):
    ours = [name for name in nodes.NODE_CLASS_MAPPINGS if name.startswith("PromptReel")]
    print("promptreel-nodes", len(ours) or sys.exit("It has no nodes."))
else:
    sys.exit("ComfyUI passes it over.")
"""
_NODES, _WHY = "promptreel-nodes", "promptreel-why"


def try_loading(comfyui: ComfyUI, place: Path) -> None:
    """Load the pack with that Python, and tell. Raises Trouble if it does not load."""
    if not comfyui.python.torch:
        say(f"Not tried: {comfyui.python.path} has no torch, so ComfyUI itself can't run with it.")
        return
    base = os.path.realpath(comfyui.folder)
    told = capture([comfyui.python.path, "-B", "-c", _CODE, base, place])
    counts = _after(_NODES, told)
    if told.status or not counts:
        raise Trouble(f"ComfyUI can't load PromptReel from {place}: {told.reason}")
    for why in _after(_WHY, told):
        say(f"ComfyUI itself can't be loaded with that Python ({why}).")
    whole = counts[-1] != "0"
    say(f"ComfyUI loads it: {counts[-1]} nodes." if whole else "Its Python loads the engine.")


def _after(mark: str, told: Told) -> list[str]:
    return [line[len(mark) :].strip() for line in told.lines if line.startswith(mark)]
