"""A node for ComfyUI that keeps a ledger, so that a test can count what really ran.

Runs in ComfyUI's own Python, linked into its custom_nodes. Appends one line of JSON per prompt that
ComfyUI took into its queue ("posted") and per completed run of the node ("ran") to `ledger.jsonl`
beside the output folder. Each run draws a number, writes it into the line and into the pixels of
its video. Must not know the sidecar.
"""

from __future__ import annotations

import json
import os
import secrets
import time
from fractions import Fraction
from pathlib import Path

import av
import comfy.model_management  # pyright: ignore[reportMissingImports]
import comfy.utils  # pyright: ignore[reportMissingImports]
import folder_paths  # pyright: ignore[reportMissingImports]
import numpy as np
from comfy_execution.utils import (  # pyright: ignore[reportMissingImports]
    get_executing_context,
)
from execution import PromptQueue  # pyright: ignore[reportMissingImports]
from PIL import Image

SIZE, CELLS, FRAMES = 64, 8, 3
STEP_S = 0.01
BOOT = f"{os.getpid()}-{time.time():.3f}"


class ChaosLedger:
    """Waits, writes a video that shows a number, and the number into the ledger."""

    CATEGORY = "tests"
    FUNCTION = "run"
    RETURN_TYPES = ()
    OUTPUT_NODE = True

    @classmethod
    def INPUT_TYPES(cls):  # noqa: N802  ComfyUI's name
        return {
            "required": {
                "image": ("IMAGE",),
                "text": ("STRING", {"default": ""}),
                "steps": ("INT", {"default": 2, "min": 0, "max": 100_000}),
            }
        }

    def run(self, image, text, steps):
        show_steps(steps)
        number = secrets.randbits(CELLS * CELLS)
        name = f"{number:016x}.mp4"
        folder = Path(folder_paths.get_output_directory(), "ledger")
        folder.mkdir(parents=True, exist_ok=True)
        write_video(folder / name, number)
        context = get_executing_context()
        append("ran", text=text, number=f"{number:016x}", prompt_id=context.prompt_id)
        file = {"filename": name, "subfolder": "ledger", "type": "output"}
        return {"ui": {"images": [file], "animated": (True,)}}


def show_steps(steps: int) -> None:
    """Take the time of a slow node: progress, a preview, and an ear for an interrupt."""
    bar = comfy.utils.ProgressBar(max(steps, 1))
    preview = Image.new("RGB", (16, 16), (90, 60, 30))
    for step in range(steps):
        comfy.model_management.throw_exception_if_processing_interrupted()
        time.sleep(STEP_S)
        bar.update_absolute(step + 1, steps, ("JPEG", preview, 16) if step % 5 == 0 else None)


def write_video(path: Path, number: int) -> None:
    """Write a video whose every frame shows the bits of `number` as black and white cells."""
    bits = [(number >> bit) & 1 for bit in range(CELLS * CELLS)]
    cells = np.array(bits, np.uint8).reshape(CELLS, CELLS) * 255
    pixels = np.kron(cells, np.ones((SIZE // CELLS,) * 2, np.uint8))
    with av.open(str(path), "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=Fraction(12))
        stream.width = stream.height = SIZE
        stream.pix_fmt = "yuv420p"
        for _ in range(FRAMES):
            frame = av.VideoFrame.from_ndarray(np.stack([pixels] * 3, axis=-1), "rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def append(kind: str, **facts: object) -> None:
    """Add a line by one write, which a kill leaves whole or away."""
    line = json.dumps({"kind": kind, "boot": BOOT, "at": time.time(), **facts}) + "\n"
    path = Path(folder_paths.get_output_directory()).parent / "ledger.jsonl"
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    try:
        os.write(descriptor, line.encode())
    finally:
        os.close(descriptor)


def noting(put):
    """Return ComfyUI's own way of queueing a prompt, which now writes down what it took."""

    def note(queue, item):
        nodes = item[2].values()
        texts = [n["inputs"].get("text") for n in nodes if n.get("class_type") == "ChaosLedger"]
        append("posted", text=texts[0] if texts else None, prompt_id=item[1])
        return put(queue, item)

    return note


PromptQueue.put = noting(PromptQueue.put)
NODE_CLASS_MAPPINGS = {"ChaosLedger": ChaosLedger}
