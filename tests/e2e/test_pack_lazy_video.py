"""The VIDEO class under the contract of every ComfyUI from 0.3.64 to 0.38 (comfyui.md 2.1)."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.comfyui import Installation
from tests.e2e.comfyui_server import PACK

CHECK = Path(__file__).with_name("lazy_video_check.py")

ABSTRACT = {"get_components", "save_to", "as_trimmed"}  # as_trimmed since 0.14
OVERRIDDEN = {  # what has a default that would render everything into memory, in some version
    "as_cropped",
    "as_resized",
    "get_active_trim_window",
    "get_bit_depth",
    "get_color_space",
    "get_container_format",
    "get_dimensions",
    "get_display_dimensions",
    "get_duration",
    "get_frame_count",
    "get_frame_rate",
    "get_stream_source",
    "has_pending_frame_edits",
}


@pytest.fixture(scope="module")
def seen(comfyui_installation: Installation, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """What the check saw, in one process of ComfyUI's own Python."""
    folder = comfyui_installation.folder
    places = [str(folder), str(PACK.parent), str(tmp_path_factory.mktemp("lazy"))]
    command = [str(comfyui_installation.python), str(CHECK), *places]
    done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


def test_defines_what_any_version_asks_for(seen: Any):
    assert seen["is_video"]
    assert set(seen["own"]) >= ABSTRACT | OVERRIDDEN


def test_pack_is_imported_quickly(seen: Any):
    assert seen["import_seconds"] < 0.3  # of the processor, whatever else the machine does


def test_getters_need_no_rendering_and_agree(seen: Any):
    assert seen["getters"] == {
        "dimensions": [128, 96],
        "display": [128, 96],
        "duration": 2.0,
        "count": 20,
        "rate": "10",
        "container": "mov,mp4,m4a,3gp,3g2,mj2",
        "bits": 8,
        "space": "sRGB",
        "window": [0.0, 0.0],
        "pending": False,
    }


def test_components_are_the_frames(seen: Any):
    assert seen["components"] == [[20, 96, 128, 3], "torch.float32"]
    assert seen["rate"] == "10"


def test_saves_to_paths_and_buffers_whatever_else_is_asked(seen: Any):
    assert (seen["saves"]["buffer"], seen["saves"]["path"]) == (20, 20)
    assert seen["saves"]["tags"] == {"workflow": '{"a": 1}', "note": "text"}


def test_other_containers_are_comfyuis_to_make(seen: Any):
    assert seen["mkv"] in ("Only MP4 format is supported for now", "20 frames")


def test_trims_stay_lazy_and_exact(seen: Any):
    trims = seen["trims"]
    assert trims["lazy"]
    assert (trims["count"], trims["tail"], trims["twice"], trims["all"]) == (10, 5, 5, 20)
    assert (trims["shown"], trims["tail_shown"]) == ([5, 14], 15)
    assert trims["beyond"]
    assert trims["too_long"]
    assert trims["cut"] == 5


def test_stream_source_is_rendered_once(seen: Any):
    assert seen["source"] == {"memoised": True, "in_temp": True, "file": 20, "comes_back": True}


def test_has_identity_and_can_be_referenced_weakly(seen: Any):
    assert seen["identity"] == {"distinct": True, "keys": 2, "freed": True}
