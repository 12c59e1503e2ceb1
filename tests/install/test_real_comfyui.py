"""Into a real ComfyUI: its files linked into a folder of our own, so that nothing of it changes."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.e2e import comfyui_launch
from tests.e2e.comfyui import Unavailable, find
from tests.install.trees import PACK, Result, install_py, snapshot
from tests.needs import lacking

pytestmark = [
    pytest.mark.comfyui,
    pytest.mark.timeout(600),
    pytest.mark.skipif(os.name == "nt", reason="its files are linked as on Unix"),
]
SITE = """\
import importlib.util, sys
spec = importlib.util.spec_from_file_location("comfyui_launch", {path!r})
launch = sys.modules["comfyui_launch"] = importlib.util.module_from_spec(spec)
spec.loader.exec_module(launch)
sys.meta_path.insert(0, launch.DeclareOperators())
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A ComfyUI folder with the real files and the real Python, and no nodes of anybody."""
    try:
        real = find()
    except Unavailable as why:
        lacking(str(why))
    if real is None:
        lacking("There is no ComfyUI: `python -m tests.e2e.comfyui install` brings one.")
    place = tmp_path / "ComfyUI"
    (place / "custom_nodes").mkdir(parents=True)
    for path in real.folder.iterdir():
        if path.name not in ("custom_nodes", ".venv", "venv"):
            (place / path.name).symlink_to(path)
    (place / ".venv").symlink_to(real.python.parents[1])
    return place


@pytest.fixture
def run(tmp_path: Path, folder: Path):
    """Return a function that runs install.py; its torchvision is mended as the launcher does."""
    (tmp_path / "site").mkdir()
    site = SITE.format(path=comfyui_launch.__file__)
    (tmp_path / "site" / "sitecustomize.py").write_text(site, encoding="utf-8")

    def install(command: str, *arguments: str) -> Result:
        environ = {"PYTHONPATH": str(tmp_path / "site")}
        return install_py(command, "--comfyui", str(folder), *arguments, environment=environ)

    return install


def test_it_is_installed_loaded_and_taken_away(run, folder: Path):
    said = run("install").done()
    assert "Its version: 0.3." in said
    count = said.partition("ComfyUI loads it: ")[2].partition(" nodes.")[0]
    assert int(count) >= 4
    assert (folder / "custom_nodes" / "promptreel").is_symlink()
    run("uninstall").done()
    assert not any((folder / "custom_nodes").iterdir())


def test_a_broken_pack_is_taken_away_again(run, folder: Path, tmp_path: Path):
    nodes = folder / "nodes.py"
    real = nodes.resolve()
    nodes.unlink()
    nodes.write_text(
        real.read_text(encoding="utf-8").replace(
            'hasattr(module, "comfy_entrypoint")', 'hasattr(module, "no_such_entrypoint")'
        ),
        encoding="utf-8",
    )
    before = snapshot(PACK)
    assert "ComfyUI passes it over" in run("install", "--copy").refused()
    assert not any((folder / "custom_nodes").iterdir())
    assert snapshot(PACK) == before
