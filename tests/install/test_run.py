"""`install.py run` from nothing, and the wheel in an empty environment: real pip, real services."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.install.trees import NO_NETWORK, ROOT, install_py, python_of

pytestmark = pytest.mark.timeout(600)  # pip may have to fetch all that the service needs

CHECKOUT = (
    "LICENSE",
    "README.md",
    "custom_nodes",
    "install.py",
    "installer",
    "pyproject.toml",
    "clients",
    "sidecar",
    "workflows",
)


@dataclass
class Service:
    """A service that was started as a person would, up to its first words."""

    process: subprocess.Popen[str]
    said: str
    url: str

    def get(self, path: str) -> Any:
        with urllib.request.urlopen(self.url + path, timeout=20) as answer:
            return json.load(answer)

    def pipelines(self) -> set[str]:
        return {row["name"] for row in self.get("/api/pipelines")["pipelines"]}

    def end(self, number: signal.Signals) -> int:
        self.process.send_signal(number)
        return self.process.wait(30)


@contextmanager
def _started(*command: str | Path, **environment: str) -> Iterator[Service]:
    with subprocess.Popen(
        list(map(str, command)),
        cwd=ROOT.anchor,
        env={**os.environ, "PROMPTREEL_LOCAL_COMFYUI_URL": "http://127.0.0.1:9", **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        try:
            yield _listening(process)
        finally:
            process.kill()


def _listening(process: subprocess.Popen[str]) -> Service:
    said = ""
    for line in process.stdout or ():
        said += line
        found = re.search(r"listens on (http://\S+)", line)
        if found:
            return Service(process, said, found[1])
    raise AssertionError(f"It does not listen:\n{said}")


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The repository as a fresh clone holds it, with an environment that was cut off half-way."""
    root = tmp_path_factory.mktemp("fresh") / "PromptReel"
    root.mkdir()
    for name in CHECKOUT:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, root / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, root / name)
    (root / ".venv").mkdir()
    (root / ".venv" / "pyvenv.cfg").write_text("home = /nowhere\nversion = 3.9.0\n")
    return root


def test_run_from_nothing_then_again(checkout: Path):
    run = (sys.executable, checkout / "install.py", "run")
    with _taken(8190), _started(*run) as first:
        assert "Making a virtual environment" in first.said
        assert "Port 8190 is taken: using " in first.said
        assert not first.url.endswith(":8190")
        assert first.get("/api/health")["status"] == "ok"
        assert "camera-motion" in first.pipelines()
        assert (checkout / "data").is_dir()
        second = _started(*run, "--", "--port", "0", "--mode", "demo", **NO_NETWORK)
        with second as service:  # pip could install nothing now
            assert service.said.startswith("PromptReel listens on ")
            assert service.get("/api/health")["status"] == "ok"
            assert service.end(signal.SIGTERM) == 0
        assert first.end(signal.SIGINT) == 0


def test_a_damaged_environment_is_mended(checkout: Path):
    (site_packages,) = (checkout / ".venv").glob("**/site-packages")
    shutil.rmtree(site_packages / "aiohttp")  # pip itself still takes it for installed
    said = install_py("run", "--", "--help", root=checkout).done()
    assert "Making a virtual environment" in said
    assert "--data-dir" in said


@contextmanager
def _taken(port: int) -> Iterator[None]:
    """Take a port, unless somebody has it already."""
    with socket.socket() as ours:
        with suppress(OSError):
            ours.bind(("127.0.0.1", port))
            ours.listen()
        yield


def test_wheel_serves_from_an_empty_environment(checkout: Path, tmp_path: Path):
    venv = tmp_path / "venv"
    subprocess.run([sys.executable, "-m", "venv", venv], check=True)
    pip = [python_of(venv), "-m", "pip", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "wheel", "--no-deps", "-w", tmp_path, checkout], check=True)
    (wheel,) = tmp_path.glob("promptreel-*.whl")
    subprocess.run([*pip, "install", wheel], check=True)
    (program,) = python_of(venv).parent.glob("promptreel*")
    options = ("serve", "--port", "0", "--data-dir", tmp_path / "data")
    with _started(program, *options) as service:
        assert "camera-motion" in {
            row["name"] for row in service.get("/api/pipelines")["pipelines"]
        }
        assert service.end(signal.SIGTERM) == 0
