"""The command line: help, old Pythons, the manager's call, and the order of the checks."""

from __future__ import annotations

import ast
import json
import os
import shutil
import socket
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any

import pytest

from installer import checks, environment, lowest, serve
from installer.console import Trouble
from installer.pythons import requirements
from tests.install.trees import PACK, ROOT, Tree, Wheels, install_py, python_of, snapshot

COMMANDS = ("run", "test", "install", "uninstall", "doctor")


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(command: str):
    said = install_py(command, "--help").done()
    assert "install.py" in said.splitlines()[0]
    assert command in install_py("--help").done()


def test_an_unknown_command_is_refused():
    assert install_py("fly").status == 2
    assert "after --" in install_py("doctor", "--", "x").refused()
    assert install_py("doctor", "--port", "9000").status == 2


def test_a_setting_before_the_dashes_is_told_where_to_go():
    said = install_py("run", "--port", "9000").refused()
    assert "python install.py run -- --port 9000" in said


def test_an_old_python_is_told_which_one_is_needed():
    source = (ROOT / "install.py").read_text(encoding="utf-8")
    ast.parse(source, feature_version=(3, 4))
    code = f"import sys; sys.version_info = (3, 8, 1, 'final', 0); exec({source!r})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 1
    assert "needs Python 3.10 or newer, and this is Python 3.8." in done.stderr
    assert "Traceback" not in done.stderr


@pytest.fixture
def clone(tree: Tree) -> Path:
    """This repository in custom_nodes, as far as the manager's call goes."""
    return _clone(tree.custom_nodes / "promptreel-repository")


def _clone(place: Path) -> Path:
    place.mkdir()
    shutil.copytree(ROOT / "installer", place / "installer")
    for name in ("install.py", "requirements.txt"):
        shutil.copy(ROOT / name, place / name)
    return place


def test_the_manager_gets_the_requirements_only(tree: Tree, clone: Path, wheels: Wheels):
    before = snapshot(tree.custom_nodes)
    first = install_py(python=tree.python, root=clone, environment=wheels.environment).done()
    assert "installing av>=14.2, pillow>=10.3" in first
    assert tree.has("av")
    second = install_py(python=tree.python, root=clone).done()
    assert "is there already" in second
    assert snapshot(tree.custom_nodes) == before


def test_a_clone_in_custom_nodes_needs_no_link(tree: Tree, clone: Path, wheels: Wheels):
    given = ("install", "--comfyui", str(tree.folder))
    said = install_py(*given, root=clone, environment=wheels.environment).done()
    assert "nothing to link" in said
    assert tree.has("av")
    assert not tree.place.exists()


def test_without_a_command_elsewhere_it_only_helps(tree: Tree, tmp_path: Path):
    said = install_py(python=tree.python, root=_clone(tmp_path / "checkout")).done()
    assert said.startswith("usage:")
    assert not tree.has("av")


def test_all_requirements_are_the_same():
    listed = (PACK / "requirements.txt").read_text(encoding="utf-8")
    assert (ROOT / "requirements.txt").read_text(encoding="utf-8") == listed
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert all(f'"{line.partition(">")[0]}>=' in project for line in requirements(ROOT))


def test_the_service_moves_to_a_free_port(monkeypatch: pytest.MonkeyPatch, capsys):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        monkeypatch.setattr(serve, "PORT", port)
        assert not serve.is_free("127.0.0.1", port)
        option, other = serve.free_port([], {})
        assert option == "--port"
        assert int(other) != port
        assert capsys.readouterr().out == f"Port {port} is taken: using {other} instead.\n"
        for asked in (["--port", "1"], ["--port=1"]):
            assert serve.free_port(asked, {}) == []
        assert serve.free_port([], {"PROMPTREEL_PORT": "1"}) == []
    assert serve.free_port([], {}) == []


def test_an_environment_that_is_something_else_is_left_alone(tmp_path: Path):
    (tmp_path / ".venv").mkdir()
    (tmp_path / ".venv" / "thesis.txt").write_text("mine")
    (tmp_path / "pyproject.toml").write_text("")
    with pytest.raises(Trouble, match="move it away"):
        environment.ensure(tmp_path)
    assert (tmp_path / ".venv" / "thesis.txt").read_text() == "mine"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A tiny project whose environment borrows the tools of this one."""
    root = tmp_path / "project"
    (root / "tests").mkdir(parents=True)
    (root / "pyproject.toml").write_text("[tool.pyright]\ninclude = ['tests']\n")
    (root / "tests" / "test_it.py").write_text("def test_it():\n    assert 1 + 1 == 2\n")
    venv = root / ".venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", venv], check=True)
    (site_packages,) = [*venv.glob("lib/python*/site-packages"), *venv.glob("Lib/site-packages")]
    (site_packages / "tools.pth").write_text(sysconfig.get_path("purelib"))
    tool = "ruff.exe" if os.name == "nt" else "ruff"
    shutil.copy(Path(sys.executable).parent / tool, python_of(venv).parent / tool)
    version = "{}.{}.{}".format(*sys.version_info)
    stamp = environment.Stamp(environment._key(root, version), version, ("test",))
    environment._write(venv, stamp)
    return root


def _steps(said: str) -> list[str]:
    return [line.removeprefix("==> ") for line in said.splitlines() if line.startswith("==> ")]


def test_all_checks_run_though_an_early_one_fails(project: Path, capfd):
    (project / "tests" / "ugly.py").write_text("import os\n")  # unused: ruff check says no
    assert checks.test(project, ["tests"]) == 1
    said = capfd.readouterr().out
    assert _steps(said) == ["test environment", "ruff check", "ruff format", "pyright", "pytest"]
    assert "FAILED before pytest: ruff check (see above)" in said
    assert "FAILED before pytest: ruff format" not in said
    assert "1 passed" in said.splitlines()[-1]


@pytest.fixture
def only_lint(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave out pyright, which takes its time."""
    monkeypatch.setattr(checks, "STEPS", checks.STEPS[:1])


@pytest.mark.usefixtures("only_lint")
def test_the_exit_status_is_pytests(project: Path, capfd):
    assert checks.test(project, ["tests"]) == 0
    assert checks.test(project, ["-k", "nothing"]) == 5
    (project / "tests" / "test_it.py").write_text("def test_it():\n    assert 1 + 1 == 3\n")
    assert checks.test(project, ["tests"]) == 1
    assert "1 failed" in capfd.readouterr().out.splitlines()[-1]


@pytest.mark.usefixtures("only_lint")
def test_a_missing_browser_is_told(project: Path, capfd, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PATH", str(project))
    checks.test(project, ["tests"])
    assert "There is no Chromium here" in capfd.readouterr().out


@pytest.mark.usefixtures("only_lint")
def test_settings_of_somebodys_service_do_not_reach_the_tests(project: Path, monkeypatch):
    given = {
        "PROMPTREEL_MODE": "comfyui",
        "COMFYUI_SERVER_URL": "http://127.0.0.1:9",
        "PROMPTREEL_TEST_COMFYUI": "kept",
    }
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    (project / "tests" / "test_it.py").write_text(
        "import os\n\n\ndef test_it():\n"
        f"    assert {set(given)} & set(os.environ) == {{'PROMPTREEL_TEST_COMFYUI'}}\n"
    )
    assert checks.test(project, ["tests"]) == 0


def _report(tmp_path: Path, *packages: Any) -> lowest.Report | None:
    path = tmp_path / "report.json"
    path.write_text(json.dumps({"dependencies": packages}), encoding="utf-8")
    return lowest.read_report(path)


def test_an_audit_that_looked_at_nothing_did_not_run(tmp_path: Path):
    unknown = {"name": "a", "skip_reason": "not found on PyPI"}
    assert lowest.read_report(tmp_path / "none.json") is None
    assert _report(tmp_path) is None
    assert _report(tmp_path, unknown) is None
    (tmp_path / "damaged.json").write_text("{", encoding="utf-8")
    assert lowest.read_report(tmp_path / "damaged.json") is None


def test_an_audit_tells_its_holes(tmp_path: Path):
    hole = {"id": "CVE-1", "fix_versions": ["1.1", "2.0"]}
    report = _report(
        tmp_path,
        {"name": "a", "version": "1.0", "vulns": [hole]},
        {"name": "b", "version": "1.0", "vulns": []},
        {"name": "c", "skip_reason": "not found on PyPI"},
    )
    assert report is not None
    assert (report.looked_at, report.unknown) == (2, ["c"])
    assert report.holes == ["a 1.0: CVE-1, fixed in 1.1, 2.0"]
