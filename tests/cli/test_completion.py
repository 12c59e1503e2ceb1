"""`promptreel completion`: the script really sourced in the shells that are here."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from sidecar.cli.program import COMMANDS, main
from tests.cli.conftest import environment
from tests.needs import lacking

pytestmark = pytest.mark.skipif(os.name == "nt", reason="the shells are asked as on Unix")

_BASH = """
eval "$(promptreel completion bash)"
COMP_LINE=$1 COMP_POINT=${#1} COMP_TYPE=9
_python_argcomplete promptreel
printf '%s\\n' "${COMPREPLY[@]}"
"""
_FISH = """
promptreel completion fish | source
complete -C "$argv[1]" | string replace -r '\\t.*' ''
true
"""


@pytest.fixture
def path(tmp_path: Path) -> dict[str, str]:
    """An environment in whose PATH the program is."""
    folder = tmp_path / "bin"
    folder.mkdir()
    script = folder / "promptreel"
    code = "import sys; sys.argv[0] = 'promptreel'; from sidecar.cli.program import main; "
    script.write_text(f'#!/bin/sh\nexec "{sys.executable}" -c "{code}sys.exit(main())" "$@"\n')
    script.chmod(0o755)
    found = environment()
    return {**found, "PATH": f"{folder}{os.pathsep}{found['PATH']}", "HOME": str(tmp_path)}


CASES = [
    ("promptreel re", {"render"}),
    ("promptreel ", {*COMMANDS}),
    ("promptreel models p", {"pull"}),
    ("promptreel models pull camera", {"camera-motion"}),
    ("promptreel render --pipeline camera", {"camera-motion"}),
    ("promptreel render --resol", {"--resolution"}),
    ("promptreel render --resolution ", {"480p", "720p", "1080p"}),
    ("promptreel serve --allowed-h", {"--allowed-hosts"}),
    ("promptreel keys re", {"revoke"}),
    ("promptreel completion f", {"fish"}),
]


@pytest.mark.parametrize(("line", "offered"), CASES)
def test_bash_offers(path: dict[str, str], line: str, offered: set[str]):
    bash = shutil.which("bash") or lacking("There is no bash.")
    assert _offers([bash, "--norc", "-c", _BASH, "bash", line], path) == offered


@pytest.mark.parametrize(("line", "offered"), CASES[:4])
def test_fish_offers(path: dict[str, str], line: str, offered: set[str]):
    fish = shutil.which("fish") or lacking("There is no fish.")
    assert offered <= _offers([fish, "--no-config", "-c", _FISH, line], path)


def test_zsh_takes_the_script(path: dict[str, str]):
    zsh = shutil.which("zsh") or lacking("There is no zsh.")
    code = 'autoload -U compinit && compinit -u; eval "$(promptreel completion zsh)"; '
    said = _offers([zsh, "-f", "-c", code + "print $_comps[promptreel]"], path)
    assert said == {"_python_argcomplete"}


def _offers(command: list[str], environ: dict[str, str]) -> set[str]:
    done = subprocess.run(command, capture_output=True, text=True, env=environ, timeout=60)
    assert (done.returncode, done.stderr) == (0, ""), done
    words = {word.strip() for word in done.stdout.splitlines()}
    return {word for word in words if word and word not in ("-h", "--help", "--version")}


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish", "powershell"])
def test_each_shell_has_its_script(shell: str, capsys):
    assert main(["completion", shell]) == 0
    assert "promptreel" in capsys.readouterr().out


def test_an_unknown_shell_is_wrong_usage(capsys):
    assert main(["completion", "tcsh"]) == 2
    assert "invalid choice" in capsys.readouterr().err
