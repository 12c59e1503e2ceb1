"""`install.py test --lowest`: do the lower bounds hold, and is a known hole in what is installed?

An environment of its own gets the oldest versions that pyproject.toml allows, and the tests of the
service and the engine run in it. The audit needs the index's list of known holes; where it can't be
had, that is said, and is no failure. Must not know what the tests do.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .checks import clean
from .console import Trouble, capture, say, show
from .environment import ensure, python_of

FOLDER = ".venv-lowest"
REPORT = "promptreel-audit.json"
FOLDERS = ("sidecar", "openapi", "hostile", "studio", "cli", "importer", "engine", "families")
TESTS = (*(f"tests/{name}" for name in FOLDERS), "-m", "not browser and not comfyui")


def test_lowest(root: Path, arguments: Sequence[str]) -> int:
    """Run the tests on the oldest versions, then the audit; return the exit status."""
    python = ensure(root, ("audit", "test"))
    say("\n==> the oldest versions that pyproject.toml allows")
    oldest = _oldest(root, python)
    say("\n==> pytest on them")
    tests = list(arguments) or list(TESTS)
    failed = show([oldest, "-m", "pytest", "-q", *tests], root, clean(os.environ))
    say("\n==> pip-audit")
    return _audit(root, python) or failed


def _oldest(root: Path, python: Path) -> Path:
    """Make the environment; return its Python. Raises Trouble."""
    venv = root / FOLDER
    uv = [python, "-m", "uv", "--quiet"]
    pip = [*uv, "pip", "install", "--python", python_of(venv), "--resolution", "lowest-direct"]
    make = [*uv, "venv", "--clear", "--python", python, venv]
    for command in (make, [*pip, "--editable", f"{root}[test]"]):
        told = capture(command)
        if told.status:
            raise Trouble(f"The oldest versions can't be installed: {told.reason}")
    return python_of(venv)


def _audit(root: Path, python: Path) -> int:
    """Ask whether what is installed has known holes; 1 if it has."""
    report = root / FOLDER / REPORT
    report.unlink(missing_ok=True)
    asked = ["--skip-editable", "--progress-spinner", "off", "--format", "json", "--output", report]
    told = capture([python, "-m", "pip_audit", *asked])
    found = read_report(report)
    if found is None:
        why = told.reason if told.status else "The index tells nothing of any package."
        say(f"NOT RUN: the list of known holes can't be had. {why}")
        return 0
    if found.unknown:
        say(f"Not in the list, so not looked at: {len(found.unknown)} packages.")
    for hole in found.holes:
        say(hole)
    say(f"{found.looked_at} packages looked at, {len(found.holes)} known holes.")
    return int(bool(found.holes))


class Report:
    """What pip-audit found: how many packages it looked at, which not, and the holes."""

    def __init__(self, packages: Sequence[dict[str, Any]]) -> None:
        self.unknown = [one["name"] for one in packages if "skip_reason" in one]
        self.looked_at = len(packages) - len(self.unknown)
        self.holes = [
            f"{one['name']} {one['version']}: {hole['id']}, fixed in "
            f"{', '.join(hole['fix_versions']) or 'no version'}"
            for one in packages
            for hole in one.get("vulns", ())
        ]


def read_report(path: Path) -> Report | None:
    """Return what a report says; None where there is none, or no package was looked at."""
    try:
        report = Report(json.loads(path.read_text(encoding="utf-8"))["dependencies"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return report if report.looked_at else None
