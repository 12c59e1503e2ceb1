"""Cancel in a real ComfyUI: it stops at once, leaves no file, and the next job works."""

from __future__ import annotations

from pathlib import Path

from tests.e2e.comfyui_play import interrupt, play
from tests.e2e.comfyui_server import ComfyUI
from tests.e2e.landscape import landscape, save
from tests.e2e.pack_graphs import animate, camera_motion, files, node


def _left(comfyui: ComfyUI, folder: str) -> list[Path]:
    return [path for path in (comfyui.output_dir / folder).rglob("*") if path.is_file()]


def _cancel_at(comfyui: ComfyUI, frame: int):
    def react(message):
        data = message["data"]
        if message["type"] == "progress" and data["value"] == frame:
            return interrupt(comfyui, data["prompt_id"])
        return None

    return react


async def test_cancel_while_rendering_leaves_nothing_behind(comfyui: ComfyUI):
    save(comfyui.input_dir / "land.png", landscape(960, 640))
    graph = camera_motion(image="land.png", seconds=60.0, fps=30.0, resolution="1080p")
    graph["5"]["inputs"]["filename_prefix"] = "cancelled/clip"
    done = await play(comfyui, graph, on_message=_cancel_at(comfyui, 20))
    assert done.status == "error"
    (told,) = done.data("execution_interrupted")
    assert told["node_type"] == "PromptReelResult"
    assert max(data["value"] for data in done.data("progress")) < 300
    assert not _left(comfyui, "cancelled")
    graph["1"]["inputs"] |= {"seconds": 0.5, "fps": 12.0, "resolution": "480p"}
    assert files(comfyui, await play(comfyui, graph))["video"].is_file()


async def test_cancel_while_all_frames_are_taken(comfyui: ComfyUI):
    save(comfyui.input_dir / "land.png", landscape(960, 640))
    graph = {"1": node("LoadImage", image="land.png")}
    graph |= animate(["1", 0], "pan left", seconds=60.0, fps=60.0, width=64, height=64)
    graph["5"] = node("PreviewImage", images=["6", 0])
    graph["6"] = node("GetVideoComponents", video=["4", 0])
    done = await play(comfyui, graph, on_message=_cancel_at(comfyui, 20))
    assert done.status == "error"
    assert done.data("execution_interrupted")[0]["node_type"] == "GetVideoComponents"
