"""The pack as a copy: upgrades, other people's files in it, and failures half-way."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.install.trees import PACK, ROOT, Tree, snapshot


def _files(folder: Path) -> set[str]:
    return {name for name, content in snapshot(folder).items() if content != "folder"}


@pytest.fixture
def copied(ready: Tree) -> Tree:
    ready.run("install", "--copy").done()
    return ready


def test_copies_the_whole_pack_without_bytecode(copied: Tree):
    assert not copied.place.is_symlink()
    assert snapshot(copied.place) == snapshot(PACK)
    assert not list(copied.place.rglob("__pycache__"))


def test_uninstall_removes_the_copy_and_what_python_cached(ready: Tree):
    before = ready.snapshot()
    ready.run("install", "--copy").done()
    cache = ready.place / "engine" / "__pycache__"
    cache.mkdir()
    (cache / "scene.cpython-310.pyc").write_bytes(b"")
    ready.run("uninstall").done()
    assert ready.snapshot() == before
    assert not ready.place.exists()


def test_uninstall_leaves_a_users_file(copied: Tree):
    (copied.place / "notes.txt").write_text("mine")
    (copied.place / "README.md").write_text("mine as well")
    said = copied.run("uninstall").done()
    assert "notes.txt" in said
    assert _files(copied.place) == {"notes.txt", "README.md"}


def test_upgrade_brings_the_new_version_and_keeps_a_users_files(copied: Tree):
    _make_old(copied)
    (copied.place / "notes.txt").write_text("mine")
    (copied.place / "README.md").write_text("mine as well")
    copied.run("install", "--copy").done()
    assert (copied.place / "__init__.py").read_bytes() == (PACK / "__init__.py").read_bytes()
    assert not (copied.place / "engine" / "gone.py").exists()
    kept = {"notes.txt": "mine", "README.md.changed": "mine as well"}
    assert {name: (copied.place / name).read_text() for name in kept} == kept
    assert _files(copied.place) == _files(PACK) | kept.keys()
    assert {path.name for path in copied.custom_nodes.iterdir()} == {
        "another",
        "promptreel",
        ".promptreel-install.json",
    }
    copied.run("uninstall").done()
    assert _files(copied.place) == kept.keys()


def _make_old(tree: Tree) -> None:
    """Turn the copy into that of an older version, which had a file more."""
    old = tree.folder.parent / "old"
    pack = old / "custom_nodes" / "promptreel"
    shutil.copytree(ROOT / "installer", old / "installer")
    shutil.copytree(PACK, pack)
    for name in ("install.py", "requirements.txt"):
        shutil.copy(ROOT / name, old / name)
    (pack / "__init__.py").write_text("# older\n")
    (pack / "engine" / "gone.py").write_text("# was there once\n")
    command = [sys.executable, old / "install.py", "install", "--copy", "--comfyui", tree.folder]
    subprocess.run(command, check=True, capture_output=True)
    assert (tree.place / "engine" / "gone.py").is_file()


def test_from_a_copy_to_a_link_and_back(copied: Tree):
    copied.run("install").done()
    assert copied.place.is_symlink()
    copied.run("install", "--copy").done()
    assert snapshot(copied.place) == snapshot(PACK)


def test_a_link_has_no_room_for_a_users_files(copied: Tree):
    (copied.place / "notes.txt").write_text("mine")
    before = copied.snapshot()
    assert "notes.txt" in copied.run("install").refused()
    assert copied.snapshot() == before


@pytest.mark.parametrize("upgrade", [False, True])
def test_all_is_as_before_when_the_last_step_fails(ready: Tree, upgrade: bool):
    if upgrade:
        ready.run("install", "--copy").done()
        _make_old(ready)
    (ready.custom_nodes / ".promptreel-install.part").mkdir()  # where the note is written first
    before = ready.snapshot()
    ready.run("install", "--copy").refused()
    assert ready.snapshot() == before


def test_goes_on_after_an_upgrade_that_was_cut_off_by_force(copied: Tree):
    (copied.place / "notes.txt").write_text("mine")
    copied.place.rename(copied.custom_nodes / ".promptreel-old.disabled")
    copied.run("install", "--copy").done()
    assert _files(copied.place) == _files(PACK) | {"notes.txt"}
    assert not (copied.custom_nodes / ".promptreel-old.disabled").exists()


@pytest.mark.skipif(sys.platform == "win32", reason="a console's Ctrl-C can't be sent there")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_it_ends_pip_and_leaves_nothing(tree: Tree, number: signal.Signals):
    before = tree.snapshot()
    slow = tree.folder.parent / "python"
    pid = tree.folder.parent / "pid"
    pip = f'[ "$1" = -m ] && echo $$ > "{pid}" && exec sleep 60'
    slow.write_text(f'#!/bin/sh\n{pip}\nexec "{tree.python}" "$@"\n')
    slow.chmod(0o755)
    command = [ROOT / "install.py", "install", "--comfyui", tree.folder, "--python", slow]
    with subprocess.Popen(
        [sys.executable, *command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        assert next(line for line in process.stdout if "Install av" in line)
        while not (pid.is_file() and pid.read_text()):
            time.sleep(0.01)
        process.send_signal(number)
        _, complaint = process.communicate()
    assert process.returncode == 130
    assert complaint == "Stopped.\n"
    while _runs(int(pid.read_text())):
        time.sleep(0.01)
    assert tree.snapshot() == before


def _runs(pid: int) -> bool:
    """Whether a process is alive; one that nobody has waited for yet is not."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    stat = Path(f"/proc/{pid}/stat")
    return not (
        stat.is_file() and stat.read_text(encoding="ascii").rpartition(")")[2].split()[0] == "Z"
    )
