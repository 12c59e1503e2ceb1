"""The other ways to install the pack: a clone of the repository, and a copied folder."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.comfyui import Installation
from tests.e2e.comfyui_play import play
from tests.e2e.comfyui_server import PACK, ComfyUI
from tests.e2e.landscape import landscape, save
from tests.e2e.pack_graphs import NODES, ROOT, camera_motion, files

CLONED = ("__init__.py", "prestartup_script.py", "requirements.txt", "pyproject.toml")
PASSED_OVER = shutil.ignore_patterns("__pycache__")


def _clone(comfyui: ComfyUI) -> None:
    """What `git clone` into custom_nodes gives, as far as ComfyUI looks at it."""
    place = comfyui.custom_nodes / "promptreel-repository"
    shutil.copytree(PACK, place / "custom_nodes" / "promptreel", ignore=PASSED_OVER)
    shutil.copytree(ROOT / "workflows", place / "workflows")
    for name in CLONED:
        shutil.copy(ROOT / name, place / name)


def _clone_beside_the_pack(comfyui: ComfyUI) -> None:
    _clone(comfyui)
    comfyui.link_pack()


def _copy(comfyui: ComfyUI) -> None:
    shutil.copytree(PACK, comfyui.custom_nodes / "promptreel", ignore=PASSED_OVER)


async def _works(comfyui: ComfyUI) -> None:
    save(comfyui.input_dir / "land.png", landscape(320, 240))
    assert all(node in comfyui.get("/object_info") for node in NODES)
    assert "promptreel" in str(comfyui.get("/extensions")).lower()
    comfyui.post("/promptreel/scene", {"text": "pan left"})  # the pack's own routes answer
    done = await play(comfyui, camera_motion(image="land.png", seconds=0.5))
    assert files(comfyui, done)["video"].is_file()


@pytest.mark.parametrize("put", [_clone, _copy])
async def test_pack_works_complete_under_its_own_name(
    comfyui_installation: Installation, tmp_path: Path, put: Callable[[ComfyUI], None]
):
    server = ComfyUI(comfyui_installation, tmp_path)
    put(server)
    server.start()
    try:
        await _works(server)
        module = server.get("/object_info/PromptReelScene")["PromptReelScene"]["python_module"]
        assert module == "custom_nodes.promptreel"
        templates = server.get("/workflow_templates")["promptreel"]
        assert sorted(templates) == sorted(
            path.stem for path in (PACK / "example_workflows").glob("*.json")
        )
        assert "PromptReelScene" in server.get("/i18n")["ru"]["nodeDefs"]
        assert "/extensions/promptreel/promptreel.js" in server.get("/extensions")
    finally:
        server.stop()


async def test_clone_loads_alone_when_all_others_are_switched_off(
    comfyui_installation: Installation, tmp_path: Path
):
    allowed = ("--disable-all-custom-nodes", "--whitelist-custom-nodes", "promptreel-repository")
    server = ComfyUI(comfyui_installation, tmp_path, allowed)
    _clone(server)
    server.start()
    try:
        await _works(server)
    finally:
        server.stop()


def test_installed_twice_says_so_and_loads_once(comfyui_installation: Installation, tmp_path: Path):
    server = ComfyUI(comfyui_installation, tmp_path, ("--quick-test-for-ci",))
    _clone_beside_the_pack(server)
    log = server.run_once()
    assert "PromptReel is installed twice" in log
    assert log.count("custom_nodes/promptreel\n") == 1
