"""`install.py test`: the test environment, then lint, format, types and the whole test suite.

All steps run even when an early one fails; pytest is the last, so that its summary ends the output.
Must not know what the tests do.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from .console import say, show
from .environment import ensure

STEPS = (
    ("ruff check", ("ruff", "check", ".")),
    ("ruff format", ("ruff", "format", "--check", ".")),
    ("pyright", ("pyright",)),
)
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
COMFYUI = ("ComfyUI for the tests", ("tests.e2e.comfyui", "install"))


def test(root: Path, arguments: Sequence[str]) -> int:
    """Run everything; return pytest's exit status, or 1 if only an earlier step failed."""
    _heading("test environment")
    python = ensure(root, ("test",))
    failed = [name for name, command in STEPS if _step(root, python, name, command)]
    if not arguments:  # some tests alone may need no ComfyUI
        _step(root, python, *COMFYUI)  # without it, the tests themselves are skipped or fail
    _heading("pytest")
    if not any(map(shutil.which, BROWSERS)):
        say(_no_browser())
    for name in failed:
        say(f"FAILED before pytest: {name} (see above)")
    status = show([python, "-m", "pytest", *arguments], root, clean(os.environ))
    return status or int(bool(failed))


def clean(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the environment without the settings of somebody's own service."""
    return {
        name: value
        for name, value in environ.items()
        if name.startswith("PROMPTREEL_TEST_")
        or not name.startswith(("PROMPTREEL_", "COMFYUI_SERVER_URL"))
    }


def _step(root: Path, python: Path, name: str, command: Sequence[str]) -> int:
    _heading(name)
    return show([python, "-m", *command], root)


def _heading(name: str) -> None:
    say(f"\n==> {name}")


def _no_browser() -> str:
    fate = "fail" if os.environ.get("CI") else "are skipped"
    return (
        f"There is no Chromium here, so the tests in a browser {fate}: install it "
        "(Debian: apt install chromium) to run them."
    )
