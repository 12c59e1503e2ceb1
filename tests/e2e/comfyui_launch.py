"""Start ComfyUI's main.py on a CPU. Runs in ComfyUI's own Python: standard library and torch only.

    python comfyui_launch.py COMFYUI_FOLDER [main.py's arguments]

The torchvision of the package index is built for another torch variant, so that its compiled
operators may not load; then the two that are looked up at import are declared (never called here).
This happens when torchvision is first imported, since ComfyUI warns where torch is there earlier.
"""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import runpy
import sys
from pathlib import Path

SCHEMAS = (
    "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
)
kept: list[object] = []  # a torch Library un-declares its operators when it is collected


class DeclareOperators(importlib.abc.MetaPathFinder):
    """Declares torchvision's operators just before torchvision is imported."""

    def find_spec(self, fullname, path=None, target=None):
        if fullname == "torchvision":
            sys.meta_path.remove(self)
            spec = importlib.machinery.PathFinder.find_spec("torchvision")
            if spec and spec.origin:
                declare(Path(spec.origin).parent)
        return


def declare(torchvision: Path) -> None:
    import torch  # noqa: PLC0415 # pyright: ignore[reportMissingImports] # not before ComfyUI

    for compiled in [*torchvision.glob("_C*.so"), *torchvision.glob("_C*.pyd")]:
        try:
            torch.ops.load_library(str(compiled))
        except OSError:
            continue
        return
    library = torch.library.Library("torchvision", "DEF")
    for schema in SCHEMAS:
        library.define(schema)
    kept.append(library)


def main() -> None:
    folder = Path(sys.argv[1]).resolve()
    sys.meta_path.insert(0, DeclareOperators())
    sys.path[0] = str(folder)
    sys.argv = [str(folder / "main.py"), *sys.argv[2:]]
    runpy.run_path(sys.argv[0], run_name="__main__")


if __name__ == "__main__":
    main()
