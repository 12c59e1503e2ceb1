"""What ComfyUI and its other nodes need is never changed; versions; what can't be tried."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from installer.versions import fits, required, version_of
from tests.install.trees import PACK, Tree, give, install_py, python_of, snapshot


def _needs(tree: Tree, name: str, version: str, *lines: str) -> None:
    """Let the tree's Python have a package that needs others."""
    give(tree.folder / ".venv", name, version)
    (metadata,) = tree.folder.glob(f".venv/lib/python*/site-packages/{name}-*/METADATA")
    with metadata.open("a", encoding="utf-8") as file:
        file.writelines(f"Requires-Dist: {line}\n" for line in lines)


def _versions(tree: Tree) -> dict[str, str]:
    done = subprocess.run(
        [tree.python, "-m", "pip", "list", "--format=freeze", "--disable-pip-version-check"],
        capture_output=True,
        text=True,
        check=True,
    )
    return dict(line.split("==") for line in done.stdout.split())


pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the trees' folders are Unix's")


def test_only_versions_that_the_others_allow_are_taken(tree: Tree):
    tree.wheels.add("pillow", "10.5")
    _needs(tree, "another", "1.0", "Pillow<11", 'pillow<9; extra == "old"')
    said = tree.run("install").done()
    assert _versions(tree)["pillow"] == "10.5"
    assert "pillow 10.5, was 9.5.0" in said
    assert _versions(tree)["numpy"] == "1.26.4"


def test_what_comfyui_pins_is_kept(tree: Tree):
    (tree.folder / "requirements.txt").write_text("torch\nPillow==9.5.0\n# x\n--extra y\n")
    before = tree.snapshot()
    sentence = tree.run("install").refused()
    assert "without changing what ComfyUI or its other nodes need" in sentence
    assert tree.snapshot() == before


def test_a_package_that_wants_another_numpy_is_refused(tree: Tree):
    next(tree.wheels.folder.glob("av-*")).unlink()
    tree.wheels.add("av", "99.1", "numpy>=2")
    before = tree.snapshot()
    assert "without changing what" in tree.run("install").refused()
    assert tree.snapshot() == before
    assert _versions(tree)["numpy"] == "1.26.4"


def test_packages_are_taken_back_when_a_later_step_fails(tree: Tree):
    tree.wheels.add("pillow", "9.5.0")
    before = _versions(tree)
    (tree.custom_nodes / ".promptreel-install.part").mkdir()  # where the note is written first
    tree.run("install").refused()
    assert _versions(tree) == before
    assert not tree.place.exists()


def test_a_comfyui_that_is_too_old_is_refused(ready: Tree):
    (ready.folder / "comfyui_version.py").write_text('__version__ = "0.3.63"\n')
    before = ready.snapshot()
    sentence = ready.run("install").refused()
    assert f"ComfyUI 0.3.63 in {ready.folder} is not >=0.3.64" in sentence
    assert ready.snapshot() == before
    (ready.folder / "comfyui_version.py").write_text('__version__ = "0.3.64"\n')
    assert "Its version: 0.3.64" in ready.run("install").done()


@pytest.mark.parametrize(
    ("version", "wanted", "good"),
    [
        ("0.3.64", ">=0.3.64", True),
        ("0.3.63", ">=0.3.64", False),
        ("0.10", ">=0.3.64", True),
        ("1.0.0", ">=0.3.64,<1", False),
        ("0.9.9", ">=0.3.64, <1", True),
        ("0.3.70", ">=0.3.64,!=0.3.70", False),
        ("0.3.64", "", True),
        ("0.3.64", "whatever", False),
    ],
)
def test_versions_in_a_range(version: str, wanted: str, good: bool):
    assert fits(version, wanted) is good


def test_versions_are_read(tmp_path: Path):
    assert version_of(tmp_path) is None
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "ComfyUI"\nversion = "0.3.10"\n')
    assert version_of(tmp_path) == "0.3.10"
    assert required(PACK) == ">=0.3.64"
    assert required(tmp_path) == ""


NODES = """
import importlib.util, sys
NODE_CLASS_MAPPINGS = {}
async def load_custom_node(place):
    spec = importlib.util.spec_from_file_location("x", place + "/__init__.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    %s
    return True
"""


def _runnable(tree: Tree, load: str) -> None:
    """Let the made-up ComfyUI have what is imported to try a pack, and a torch."""
    (tree.folder / "comfy").mkdir()
    (tree.folder / "comfy" / "options.py").write_text("def enable_args_parsing(): pass\n")
    (tree.folder / "nodes.py").write_text(NODES % load)
    (site,) = tree.folder.glob(".venv/lib/python*/site-packages")
    (site / "torch.py").write_text("")


def test_it_is_loaded_as_comfyui_does(ready: Tree):
    _runnable(ready, "NODE_CLASS_MAPPINGS['PromptReelX'] = module.comfy_entrypoint")
    assert "ComfyUI loads it: 1 nodes." in ready.run("install").done()


@pytest.mark.parametrize("load", ["return False", "raise ImportError('no av')", "pass"])
@pytest.mark.parametrize("option", [(), ("--copy",)])
def test_what_does_not_load_is_taken_away_again(ready: Tree, load: str, option: tuple[str, ...]):
    _runnable(ready, load)
    before = snapshot(ready.custom_nodes)
    assert "ComfyUI can't load PromptReel from" in ready.run("install", *option).refused()
    assert snapshot(ready.custom_nodes) == before


def test_a_python_of_conda_is_found(ready: Tree, tmp_path: Path):
    (site,) = ready.folder.glob(".venv/lib/python*/site-packages")
    (site / "torch.py").write_text("")
    env = tmp_path / "envs" / "comfyui"
    env.parent.mkdir()
    (ready.folder / ".venv").rename(env)
    environ = {"CONDA_PREFIX": str(env), "VIRTUAL_ENV": str(tmp_path / "none")}
    said = install_py("install", "--comfyui", str(ready.folder), environment=environ)
    assert f"Its Python: {python_of(env)}" in said.out
