"""A minute of lazy video adds little to the server's memory."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from tests.e2e.comfyui_play import play
from tests.e2e.comfyui_server import ComfyUI
from tests.e2e.landscape import landscape, save
from tests.e2e.pack_graphs import camera_motion, files

ALLOWED_MB = 150


def _status(comfyui: ComfyUI, line: str) -> float:
    """Return a line of the server's /proc status in MB."""
    text = Path(f"/proc/{comfyui.pid}/status").read_text(encoding="utf-8")
    found = re.search(rf"^{line}:\s*(\d+) kB", text, re.MULTILINE)
    assert found
    return int(found[1]) / 1024


def _forget_peak(comfyui: ComfyUI) -> None:
    Path(f"/proc/{comfyui.pid}/clear_refs").write_text("5", encoding="ascii")


@pytest.mark.skipif(sys.platform != "linux", reason="peak memory is read from /proc")
@pytest.mark.timeout(180)
async def test_a_minute_adds_at_most_150_mb(comfyui: ComfyUI):
    save(comfyui.input_dir / "land.png", landscape(1920, 1280))
    graph = camera_motion(image="land.png", text="push in", aspect="source", fps=8.0)
    await play(comfyui, graph)  # what is loaded once: OpenCV, the encoder, the picture
    _forget_peak(comfyui)
    before = _status(comfyui, "VmRSS")
    graph["1"]["inputs"]["seconds"] = 60.0
    files(comfyui, await play(comfyui, graph))
    added = _status(comfyui, "VmHWM") - before
    assert added < ALLOWED_MB, f"{added:.0f} MB"
