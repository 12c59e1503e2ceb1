"""The pack as ComfyUI's registry sees it: its metadata, its archive, the registry's own checks."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest
import tomli

from installer.pythons import requirements
from tests.install.registry_tools import tools
from tests.install.trees import PACK, ROOT
from tests.needs import lacking

pytestmark = pytest.mark.timeout(600)  # the tools may have to be fetched


@pytest.fixture(scope="module")
def pack(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The pack's files as a checkout of their own: an archive is made of what git knows."""
    git = shutil.which("git") or lacking("There is no git.")
    place = tmp_path_factory.mktemp("registry") / "promptreel"
    shutil.copytree(PACK, place, ignore=shutil.ignore_patterns("__pycache__"))
    for command in (["init", "--quiet"], ["add", "--all"]):
        subprocess.run([git, *command], cwd=place, check=True)
    return place


def _run(pack: Path, *command: str) -> str:
    folder = tools()
    done = subprocess.run(
        [folder / command[0], *command[1:]],
        cwd=pack,
        env={
            **os.environ,
            "PATH": f"{folder}{os.pathsep}{os.environ['PATH']}",
            "HOME": str(pack.parent),
            "PYTHONUTF8": "1",
        },
        capture_output=True,
        encoding="utf-8",
        timeout=200,
    )
    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    return said


def _comfy(pack: Path, *command: str) -> str:
    return _run(pack, "comfy", "--skip-prompt", "--no-enable-telemetry", "node", *command)


def test_comfy_cli_finds_it_valid(pack: Path):
    said = _comfy(pack, "validate")
    assert "All validation checks passed" in said
    assert "warning" not in said.lower()


def test_comfy_cli_packs_the_whole_pack_and_nothing_else(pack: Path, tmp_path: Path):
    _comfy(pack, "pack")
    with zipfile.ZipFile(pack / "node.zip") as archive:
        names = {name for name in archive.namelist() if not name.endswith("/")}
        archive.extractall(tmp_path / "installed")
    (pack / "node.zip").unlink()
    files = (path for path in PACK.rglob("*") if path.is_file())
    ours = {path.relative_to(PACK).as_posix() for path in files if path.suffix != ".pyc"}
    assert names == ours
    assert sum(path.stat().st_size for path in PACK.rglob("*") if path.is_file()) < 20 << 20


def test_it_passes_the_registrys_static_checks(pack: Path):
    said = _run(pack, "comfy-test", "lint", "--strict", ".")
    assert "[SYNTAX] PASSED" in said
    assert "[JAVASCRIPT] PASSED" in said


def test_its_metadata_is_what_the_registry_takes():
    told = tomli.loads((PACK / "pyproject.toml").read_text(encoding="utf-8"))
    whole = tomli.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    project, comfy = told["project"], told["tool"]["comfy"]
    assert re.fullmatch(r"[a-z][a-z0-9_-]{0,99}", project["name"])
    assert "comfyui" not in project["name"]
    assert project["name"] == PACK.name == whole["project"]["name"]
    assert re.fullmatch(r"\d+\.\d+\.\d+", project["version"])
    assert project["version"] == whole["project"]["version"]
    assert project["requires-python"] == whole["project"]["requires-python"]
    assert tuple(project["dependencies"]) == requirements(PACK) == requirements(ROOT)
    assert all(re.fullmatch(r"[a-z]+>=[\d.]+", line) for line in project["dependencies"])
    assert (PACK / project["readme"]).is_file()
    assert (PACK / "LICENSE").read_bytes() == (ROOT / "LICENSE").read_bytes()
    assert re.fullmatch(r">=\d+\.\d+\.\d+", comfy["requires-comfyui"])
    assert comfy["DisplayName"]
    assert "web" not in comfy  # WEB_DIRECTORY tells it; both would serve it twice
