"""The harness itself: the server answers, keeps its log, and survives a crash."""

from __future__ import annotations

from tests.e2e.comfyui_server import ComfyUI


def test_server_answers_and_comes_back(comfyui: ComfyUI):
    assert comfyui.get("/system_stats")["system"]["comfyui_version"]
    assert "To see the GUI go to" in comfyui.log()
    comfyui.kill()
    assert not comfyui.answers()
    comfyui.ensure()
    assert comfyui.answers()
