"""A custom node for the tests only: lets ComfyUI build the tiny checkpoints' small modules.

Does nothing unless the tests' environment variable asks for it. See `shrink` and `told`.
"""

import os

NODE_CLASS_MAPPINGS = {}

if os.environ.get("PROMPTREEL_TINY_MODELS") == "1":
    from . import shrink, told

    shrink.everything()
    NODE_CLASS_MAPPINGS["ToldGraph"] = told.ToldGraph
