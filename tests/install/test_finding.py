"""ComfyUI found by itself: each kind of installation made up, the one that runs, and the choice."""

from __future__ import annotations

import io
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import ClassVar

import pytest

from installer import running
from installer.choosing import choose, find_all
from installer.comfyui import find_folder, nodes_folder
from installer.console import Trouble
from installer.extra_paths import sections
from installer.places import Machine, look_around
from tests.install.trees import ROOT, Tree, install_py


@pytest.fixture(autouse=True)
def nobody_runs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setattr(running, "LOCAL", "http://127.0.0.1:9")
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path / "empty")


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return _machine(tmp_path)


def _machine(base: Path, platform: str = "linux", **environ: str) -> Machine:
    checkout = base / "checkouts" / "promptreel"
    checkout.mkdir(parents=True, exist_ok=True)
    return Machine(checkout, environ, base / "home", base / "disk", platform)


def _comfyui(folder: Path) -> Path:
    (folder / "custom_nodes").mkdir(parents=True)
    (folder / "main.py").write_text("# ComfyUI\n")
    return folder


def _desktop(folder: Path) -> Path:
    """The desktop app's base folder: nodes and files, the program lies elsewhere."""
    for name in ("custom_nodes", "models", "user"):
        (folder / name).mkdir(parents=True)
    return folder


@pytest.mark.parametrize(
    ("platform", "place"),
    [
        ("linux", "home/ComfyUI"),
        ("linux", "home/comfy/ComfyUI"),
        ("linux", "home/Documents/ComfyUI"),
        ("linux", "disk/workspace/ComfyUI"),
        ("linux", "disk/ComfyUI"),
        ("linux", "disk/opt/ComfyUI"),
        ("linux", "disk/app"),
        ("linux", "checkouts/ComfyUI"),
        ("linux", "empty/ComfyUI"),
        ("darwin", "home/Documents/ComfyUI"),
        ("win32", "disk/ComfyUI_windows_portable/ComfyUI"),
        ("win32", "home/Downloads/ComfyUI_windows_portable/ComfyUI"),
        ("win32", "disk/ComfyUI"),
    ],
)
def test_usual_folders(tmp_path: Path, platform: str, place: str):
    folder = _comfyui(tmp_path / place)
    (found,) = look_around(_machine(tmp_path, platform))
    assert found.folder == folder


def test_a_folder_that_is_only_named_so_is_none(tmp_path: Path, machine: Machine):
    (machine.home / "ComfyUI" / "custom_nodes").mkdir(parents=True)
    (machine.home / "comfy" / "ComfyUI").mkdir(parents=True)
    (machine.home / "comfy" / "ComfyUI" / "main.py").write_text("")
    ours = _comfyui(machine.disk / "app")
    (ours / "sidecar").mkdir()
    (ours / "install.py").write_text("")
    assert look_around(machine) == []


@pytest.mark.parametrize(
    ("platform", "config"),
    [
        ("linux", ".config/comfy-cli"),
        ("darwin", "Library/Application Support/comfy-cli"),
        ("win32", "AppData/Local/comfy-cli"),
    ],
)
def test_the_workspaces_of_comfy_cli(tmp_path: Path, platform: str, config: str):
    machine = _machine(tmp_path, platform)
    first, second = _comfyui(tmp_path / "a" / "One 100%"), _comfyui(tmp_path / "b" / "Two")
    file = machine.home / config / "config.ini"
    file.parent.mkdir(parents=True)
    file.write_text(f"[DEFAULT]\ndefault_workspace = {first}\nrecent_workspace = {second}\n")
    assert [found.folder for found in look_around(machine)] == [first, second]
    file.write_text("damaged")
    assert look_around(machine) == []


@pytest.mark.parametrize(
    ("platform", "config"),
    [
        ("linux", ".config/ComfyUI"),
        ("darwin", "Library/Application Support/ComfyUI"),
        ("win32", "AppData/Roaming/ComfyUI"),
    ],
)
def test_the_base_folder_of_the_desktop_app(tmp_path: Path, platform: str, config: str):
    machine = _machine(tmp_path, platform)
    base, other = _desktop(tmp_path / "Movies" / "base"), _desktop(tmp_path / "Movies" / "other")
    folder = machine.home / config
    folder.mkdir(parents=True)
    told = {"basePath": str(base), "installState": "installed"}
    (folder / "config.json").write_text(json.dumps(told), encoding="utf-8")
    (folder / "extra_models_config.yaml").write_text(f"desktop:\n  base_path: {other}\n")
    assert [found.folder for found in look_around(machine)] == [base, other]
    (folder / "config.json").write_text("[]")
    assert [found.folder for found in look_around(machine)] == [other]


def test_one_folder_found_in_two_ways_is_one(tmp_path: Path):
    folder = _comfyui(tmp_path / "home" / "ComfyUI")
    (tmp_path / "disk").mkdir()
    (tmp_path / "disk" / "ComfyUI").symlink_to(folder)
    machine = _machine(tmp_path, COMFYUI_PATH=str(folder))
    assert [found.how for found in look_around(machine)] == ["COMFYUI_PATH"]


YAML = """\
# somebody's
other:
  checkpoints: c
comfyui:   # ours
  base_path: "{base}"
  is_default: true
  loras: |
    models/loras
    more/loras
  custom_nodes: |
    extra nodes/  # here
    more_nodes
"""


def test_an_extra_model_paths_file_tells_where_nodes_go(tmp_path: Path):
    base = _comfyui(tmp_path / "Comfy UI")
    file = tmp_path / "config" / "extra_model_paths.yaml"
    file.parent.mkdir()
    file.write_text(YAML.format(base=base), encoding="utf-8")
    other, ours = sections(file)
    assert (other.name, other.base, other.nodes) == ("other", None, ())
    assert (ours.base, ours.nodes) == (base, (base / "extra nodes", base / "more_nodes"))
    assert find_folder(str(file)) == base
    assert nodes_folder(str(file), base) == base / "extra nodes"
    assert nodes_folder(str(base), base) == base / "custom_nodes"
    assert sections(tmp_path / "none.yaml") == []
    file.write_text("comfyui:\n  base_path: nowhere\n")
    with pytest.raises(Trouble, match="its base_path names none"):
        find_folder(str(file))


class _Comfy(BaseHTTPRequestHandler):
    answers: ClassVar[dict[str, object]] = {}

    def do_GET(self):
        body = self.answers.get(self.path)
        self.send_response(404 if body is None else 200)
        self.end_headers()
        self.wfile.write(json.dumps(body).encode())

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  their name
        pass


@contextmanager
def _serving(**answers: object) -> Iterator[str]:
    handler = type("Handler", (_Comfy,), {"answers": {f"/{k}": v for k, v in answers.items()}})
    with HTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def _stats(*argv: str) -> dict[str, object]:
    return {"system": {"comfyui_version": "0.3.75", "argv": list(argv)}}


def test_the_one_that_runs_tells_its_folder(tmp_path: Path):
    folder, _ = _comfyui(tmp_path / "odd" / "place"), _comfyui(tmp_path / "home" / "ComfyUI")
    with _serving(system_stats=_stats(str(folder / "main.py"), "--listen")) as url:
        first, second = find_all(_machine(tmp_path, COMFYUI_SERVER_URL=url))
    assert (first.folder, first.running, second.running) == (folder, True, False)
    assert first.how == f"it runs: ComfyUI 0.3.75 at {url}"


def test_the_one_that_runs_tells_where_it_looks_for_nodes(tmp_path: Path):
    base = _desktop(tmp_path / "base")
    paths = {"custom_nodes": [str(base / "custom_nodes")]}
    handlers = {"system_stats": _stats("main.py"), "internal/folder_paths": paths}
    with _serving(**handlers) as url:
        (found,) = find_all(_machine(tmp_path, COMFYUI_SERVER_URL=url))
    assert (found.folder, found.custom_nodes) == (base, base / "custom_nodes")


def test_of_several_yes_takes_the_one_that_runs(tmp_path: Path, capsys):
    folder, _ = _comfyui(tmp_path / "odd"), _comfyui(tmp_path / "home" / "ComfyUI")
    with _serving(system_stats=_stats(str(folder / "main.py"))) as url:
        machine = _machine(tmp_path, COMFYUI_SERVER_URL=url)
        assert choose(machine, yes=True).folder == folder
        with pytest.raises(Trouble, match="--comfyui"):
            choose(machine, yes=False)  # nobody can be asked
    assert "Several ComfyUIs were found:\n  1  " in capsys.readouterr().out
    _comfyui(tmp_path / "disk" / "ComfyUI")
    with pytest.raises(Trouble, match="--yes takes the one that runs"):
        choose(_machine(tmp_path), yes=True)


def test_the_only_one_and_the_one_named_are_taken(tmp_path: Path):
    with pytest.raises(Trouble, match="No ComfyUI was found"):
        choose(_machine(tmp_path), yes=False)
    home = _comfyui(tmp_path / "home" / "ComfyUI")
    assert choose(_machine(tmp_path), yes=False).folder == home
    named = _comfyui(tmp_path / "named")
    assert choose(_machine(tmp_path, COMFYUI_PATH=str(named)), yes=False).folder == named
    with pytest.raises(Trouble, match="COMFYUI_PATH is /nowhere"):
        choose(_machine(tmp_path, COMFYUI_PATH="/nowhere"), yes=False)


class _Keyboard(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_of_several_one_is_asked_for(tmp_path: Path, monkeypatch, capsys):
    folders = [_comfyui(tmp_path / place) for place in ("home/ComfyUI", "disk/ComfyUI")]
    monkeypatch.setattr("sys.stdin", _Keyboard("9\nx\n2\n"))
    assert choose(_machine(tmp_path), yes=False).folder == folders[1]
    assert "'9' is no number from 1 to 2." in capsys.readouterr().out
    monkeypatch.setattr("sys.stdin", _Keyboard("\n"))
    with pytest.raises(Trouble, match="None was chosen"):
        choose(_machine(tmp_path), yes=False)


def test_install_finds_and_uninstalls_what_is_named(ready: Tree):
    environ = {**ready.wheels.environment, "COMFYUI_PATH": str(ready.folder)}
    said = install_py("install", "--yes", environment=environ).done()
    assert f"{ready.folder} (COMFYUI_PATH)" in said
    assert ready.place.resolve() == ROOT / "custom_nodes" / "promptreel"
    install_py("uninstall", environment=environ).done()
    assert not ready.place.exists()


def test_nodes_go_where_the_file_of_paths_says(ready: Tree, tmp_path: Path):
    file = tmp_path / "extra_model_paths.yaml"
    file.write_text(f"mine:\n  base_path: {ready.folder}\n  custom_nodes: elsewhere\n")
    install_py("install", "--comfyui", str(file)).done()
    assert (ready.folder / "elsewhere" / "promptreel").is_symlink()
    assert not ready.place.exists()
    install_py("uninstall", "--comfyui", str(file)).done()
    assert not (ready.folder / "elsewhere" / "promptreel").exists()
