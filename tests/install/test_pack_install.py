"""The pack into somebody's ComfyUI and out again, by link."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.install.trees import PACK, Tree, install_py


def test_links_the_pack_and_installs_what_is_missing(tree: Tree):
    said = tree.run("install").done()
    assert tree.place.is_symlink()
    assert tree.place.resolve() == PACK
    assert tree.has("av")
    assert "Install av>=14.2, pillow>=10.3 with" in said
    assert str(tree.place) in said
    assert "Restart ComfyUI" in said


def test_leaves_packages_alone_that_are_new_enough(ready: Tree):
    before = ready.snapshot()
    said = ready.run("install").done()
    after = ready.snapshot()
    assert "All that PromptReel needs is there already." in said
    assert {name for name in after if name not in before} == {
        "custom_nodes/promptreel",
        "custom_nodes/.promptreel-install.json",
    }


def test_uninstall_undoes_exactly_that(ready: Tree):
    before = ready.snapshot()
    ready.run("install").done()
    assert ready.snapshot() != before
    ready.run("uninstall").done()
    assert ready.snapshot() == before
    assert (PACK / "__init__.py").is_file()


def test_a_second_time_there_is_nothing_to_do(ready: Tree):
    ready.run("install").done()
    before = ready.snapshot()
    assert "Already linked" in ready.run("install").done()
    assert ready.snapshot() == before
    ready.run("uninstall").done()
    assert "nothing to undo" in ready.run("uninstall").done()


@pytest.mark.parametrize("options", [(), ("--copy",)])
def test_dry_run_tells_and_changes_nothing(tree: Tree, options: tuple[str, ...]):
    before = tree.snapshot()
    said = tree.run("install", "--dry-run", *options).done()
    assert f"Would: Install av>=14.2, pillow>=10.3 with {tree.python}" in said
    assert f"Would: {'Copy' if options else 'Link'} " in said
    assert str(tree.place) in said
    assert tree.snapshot() == before
    tree.run("install", *options).done()
    installed = tree.snapshot()
    assert f"Would: Remove the {'copy' if options else 'link'}" in (
        tree.run("uninstall", "--dry-run").done()
    )
    assert tree.snapshot() == installed


def _folder(place: Path) -> None:
    place.mkdir()
    (place / "__init__.py").write_text("# somebody's\n")


def _link(place: Path) -> None:
    other = place.parents[1] / "other"
    other.mkdir()
    place.symlink_to(other)


def _dangling(place: Path) -> None:
    place.symlink_to(place.parents[1] / "gone")


def _file(place: Path) -> None:
    place.write_text("somebody's")


@pytest.mark.parametrize("put", [_folder, _link, _dangling, _file])
@pytest.mark.parametrize("command", ["install", "uninstall"])
def test_never_touches_what_it_did_not_make(ready: Tree, put, command: str):
    put(ready.place)
    before = ready.snapshot()
    sentence = ready.run(command).refused()
    assert str(ready.place) in sentence
    assert "not put there by this program" in sentence
    assert ready.snapshot() == before


def test_uninstall_leaves_what_replaced_ours(ready: Tree):
    ready.run("install").done()
    ready.place.unlink()
    _folder(ready.place)
    assert "stays" in ready.run("uninstall").done()
    assert (ready.place / "__init__.py").read_text() == "# somebody's\n"


def test_nothing_is_placed_when_pip_fails(tree: Tree):
    next(tree.wheels.folder.glob("av-*")).unlink()
    before = tree.snapshot()
    sentence = tree.run("install").refused()
    assert "av>=14.2" in sentence
    assert "No matching distribution" in sentence
    assert tree.snapshot() == before


def test_its_python_is_asked_for_where_there_is_none(ready: Tree, tmp_path: Path):
    (ready.folder / ".venv").rename(tmp_path / "elsewhere")
    assert "--python" in ready.run("install").refused()
    python = tmp_path / "elsewhere" / ready.python.relative_to(ready.folder / ".venv")
    ready.run("install", "--python", str(python)).done()
    assert ready.place.is_symlink()


@pytest.mark.parametrize("name", ["venv", "../.venv", "../venv"])
def test_finds_its_python_in_or_beside_the_folder(ready: Tree, name: str):
    (ready.folder / ".venv").rename(ready.folder / name)
    ready.run("install").done()
    assert ready.place.is_symlink()


@pytest.mark.skipif(os.name == "nt", reason="stands in for Windows' portable build elsewhere")
def test_portable_build(ready: Tree):
    portable = ready.folder.parent
    python = portable / "python_embeded" / "python.exe"
    python.parent.mkdir()
    (ready.folder / ".venv").rename(portable / "hidden")
    python.write_text(f'#!/bin/sh\nexec "{portable}/hidden/bin/python" "$@"\n')
    python.chmod(0o755)
    said = install_py("install", "--comfyui", str(portable)).done()
    assert str(python) in said
    assert ready.place.is_symlink()
    install_py("uninstall", "--comfyui", str(portable)).done()
    assert not os.path.lexists(ready.place)


def test_a_path_that_is_no_comfyui(tmp_path: Path):
    assert "main.py" in install_py("install", "--comfyui", str(tmp_path)).refused()
    missing = str(tmp_path / "missing")
    assert "There is no folder" in install_py("install", "--comfyui", missing).refused()
    root = str(PACK.parents[1])
    assert "PromptReel itself" in install_py("install", "--comfyui", root).refused()


def test_a_python_that_does_not_work(ready: Tree):
    missing = ready.run("install", "--python", str(ready.folder / "no")).refused()
    assert "There is no Python" in missing
    wrong = ready.run("install", "--python", str(ready.folder / "main.py")).refused()
    assert "can't be started" in wrong


def test_doctor_tells_what_is_missing(tree: Tree):
    sick = tree.run("doctor")
    assert sick.status == 0
    assert "It lacks av>=14.2, pillow>=10.3." in sick.out
    assert "The nodes are not in" in sick.out
    tree.run("install").done()
    healed = tree.run("doctor").done()
    assert "It has all packages." in healed
    assert f"The nodes are in {tree.place}." in healed
