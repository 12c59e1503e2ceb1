"""The service that ComfyUI starts: real processes, its end with ours, the truth after a crash."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from promptreel.service.child import Child
from promptreel.service.program import CHECKOUT, NEEDED, Program, find

ROOT = Path(__file__).parents[2]
PYTHONPATH = os.pathsep.join([str(ROOT), str(ROOT / "custom_nodes")])
HERE = Program(Path(sys.executable), (ROOT, ROOT / "custom_nodes"))


@pytest.fixture
def child() -> Iterator[Child]:
    child = Child()
    yield child
    child.stop()


def _start(child: Child, folder: Path, **environ: str) -> Any:
    environment = HERE.environment("http://127.0.0.1:9", {**os.environ, **environ})
    return child.start(HERE.command(folder / "data"), environment, folder / "sidecar.log")


def _get(url: str) -> Any:
    with urllib.request.urlopen(url, timeout=10) as answer:
        return json.load(answer)


def _gone(pid: int, seconds: float = 20.0) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        state = Path(f"/proc/{pid}/stat")
        if not state.exists() or state.read_text().rpartition(")")[2].split()[0] == "Z":
            return True
        time.sleep(0.05)
    return False


def test_it_runs_answers_and_stops(child: Child, tmp_path: Path):
    assert child.condition().state == "stopped"
    condition = _start(child, tmp_path)
    assert condition.state == "running", condition
    assert condition.address.startswith("http://127.0.0.1:")
    assert _get(f"{condition.address}/api/health")["status"] == "ok"
    assert _start(child, tmp_path) == condition  # once is enough
    ended = child.stop()
    assert (ended.state, ended.address) == ("stopped", "")
    assert child._process is not None
    assert child._process.returncode == 0  # in good order, not killed
    assert _start(child, tmp_path).state == "running"  # and again


def test_a_crash_is_told_with_its_last_words(child: Child, tmp_path: Path):
    (tmp_path / "data").write_text("no folder")
    condition = _start(child, tmp_path)
    assert (condition.state, condition.address) == ("failed", "")
    assert "can't start" in condition.said
    (tmp_path / "data").unlink()
    assert _start(child, tmp_path).state == "running"
    assert child._process is not None
    child._process.kill()
    child._process.wait()
    condition = child.condition()
    assert (condition.state, condition.address) == ("failed", "")


def test_settings_of_the_one_who_runs_comfyui_do_not_reach_it(child: Child, tmp_path: Path):
    condition = _start(
        child,
        tmp_path,
        PROMPTREEL_HOST="0.0.0.0",
        PROMPTREEL_PUBLIC_URL="https://a.example",
        PROMPTREEL_PANEL_SIDECAR="1",
    )
    assert condition.address.startswith("http://127.0.0.1:")
    assert "no settings" not in (tmp_path / "sidecar.log").read_text()


@pytest.mark.skipif(sys.platform == "win32", reason="looks into /proc")
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_it_ends_with_the_process_that_started_it(tmp_path: Path, number: int):
    program = (
        "import os, sys, time; from pathlib import Path\n"
        "from promptreel.service.child import Child\n"
        "from promptreel.service.program import Program\n"
        f"here = Program(Path(sys.executable), (Path({str(ROOT)!r}),"
        f" Path({str(ROOT / 'custom_nodes')!r})))\n"
        f"child, folder = Child(), Path({str(tmp_path)!r})\n"
        "environment = here.environment('http://127.0.0.1:9', os.environ)\n"
        "told = child.start(here.command(folder / 'data'), environment, folder / 'log')\n"
        "print(told.state, child._process.pid, flush=True); time.sleep(60)\n"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", program],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": PYTHONPATH},
    )
    assert parent.stdout is not None
    state, pid = parent.stdout.readline().split()
    assert state == "running"
    parent.send_signal(number)
    parent.wait()
    parent.stdout.close()
    try:
        assert _gone(int(pid))
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(int(pid), signal.SIGKILL)


def test_what_can_be_started_is_found_or_explained(tmp_path: Path):
    assert find().path[0] == CHECKOUT == ROOT
    (tmp_path / "sidecar").mkdir()
    (tmp_path / "sidecar" / "__main__.py").touch()
    own = tmp_path / ".venv" / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    own.parent.mkdir(parents=True)
    assert find(tmp_path).python == Path(sys.executable)
    own.touch()
    assert find(tmp_path).python == own


def test_its_packages_are_those_that_the_service_declares():
    declared = (ROOT / "pyproject.toml").read_text("utf-8").partition("dependencies = [")[2]
    named = declared.partition("]")[0].replace("-", "_")
    assert all(f'"{name}' in named for name in NEEDED)


async def test_nothing_blocks_the_event_loop_of_comfyui(child: Child, tmp_path: Path):
    started = asyncio.create_task(asyncio.to_thread(_start, child, tmp_path))
    ticks = 0
    while not started.done():
        await asyncio.sleep(0.02)
        ticks += 1
    assert ticks > 5
    assert (await started).state == "running"
