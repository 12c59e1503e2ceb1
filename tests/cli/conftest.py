"""A picture, and the program run as a person would; no setting of somebody's service shows."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.pictures import picture, saved

PROGRAM = (sys.executable, "-m", "sidecar")


@pytest.fixture(autouse=True)
def no_settings(monkeypatch: pytest.MonkeyPatch):
    for name in list(os.environ):
        if name.startswith(("PROMPTREEL_", "COMFYUI_SERVER_URL")) and "_TEST_" not in name:
            monkeypatch.delenv(name)


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "photo.png"
    path.write_bytes(saved(picture(160, 96), "PNG"))
    return path


@pytest.fixture
def program(tmp_path: Path):
    """Return a function that runs the program in an empty folder to its end."""
    folder = tmp_path / "here"
    folder.mkdir()

    def run(*arguments: str | Path, **options) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*PROGRAM, *map(str, arguments)],
            cwd=folder,
            env=environment(),
            capture_output=True,
            encoding="utf-8",
            timeout=100,
            **options,
        )

    return run


def environment() -> dict[str, str]:
    """Return this environment, in which the program is found wherever it is started."""
    root = Path(__file__).parents[2]
    places = (root, root / "custom_nodes", root / "clients" / "python")
    return {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, places)), "PYTHONUTF8": "1"}
