"""A ComfyUI folder for each test; its virtual environment is made once and copied."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.install.trees import NEEDED, Tree, Wheels, give


@pytest.fixture(scope="session")
def venv_with_pip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A virtual environment with pip and nothing else."""
    return _venv(tmp_path_factory.mktemp("pip") / "venv")


@pytest.fixture(scope="session")
def bare_venv(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A virtual environment without even pip."""
    return _venv(tmp_path_factory.mktemp("bare") / "venv", "--without-pip")


def _venv(place: Path, *options: str) -> Path:
    subprocess.run([sys.executable, "-m", "venv", *options, place], check=True)
    return place


@pytest.fixture
def wheels(tmp_path: Path) -> Wheels:
    """Wheels of all that the pack needs."""
    found = Wheels(tmp_path / "wheels")
    found.folder.mkdir()
    for name, version in NEEDED.items():
        found.add(name, version)
    return found


@pytest.fixture
def tree(tmp_path: Path, venv_with_pip: Path, wheels: Wheels) -> Tree:
    """A ComfyUI with another pack, whose Python lacks `av` and has a `pillow` that is too old."""
    return _comfyui(tmp_path, venv_with_pip, wheels, {"numpy": "1.26.4", "pillow": "9.5.0"})


@pytest.fixture
def ready(tmp_path: Path, bare_venv: Path, wheels: Wheels) -> Tree:
    """The same, but its Python has all that the pack needs."""
    packages = {"av": "14.2.0", "numpy": "1.26.4", "pillow": "10.3"}
    return _comfyui(tmp_path, bare_venv, wheels, packages)


def _comfyui(base: Path, venv: Path, wheels: Wheels, packages: dict[str, str]) -> Tree:
    folder = base / "ComfyUI"
    (folder / "custom_nodes" / "another").mkdir(parents=True)
    (folder / "custom_nodes" / "another" / "nodes.py").write_text("# theirs\n")
    (folder / "main.py").write_text("# ComfyUI\n")
    shutil.copytree(venv, folder / ".venv", symlinks=True)
    for name, version in packages.items():
        give(folder / ".venv", name, version)
    return Tree(folder, wheels)
