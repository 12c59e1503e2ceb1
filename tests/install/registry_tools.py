"""The registry's own tools, comfy-cli and comfy-test, in a virtual environment of their own.

They are run as programs and never imported (comfy-cli is GPL). Made once, in the tests' cache.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from tests.e2e.comfyui import cache, locked
from tests.needs import lacking

TOOLS = ("comfy-cli==1.23.0", "comfy-test==0.4.15")


def tools() -> Path:
    """Return the folder of their programs, installing them if need be."""
    version = f"py{sys.version_info[0]}{sys.version_info[1]}"
    home = cache() / "-".join(["registry", version, *(tool.split("==")[1] for tool in TOOLS)])
    home.parent.mkdir(parents=True, exist_ok=True)
    with locked(home.with_name(f"{home.name}.lock")):
        if not (home / "ready").is_file():
            _make(home)
    return home / ("Scripts" if sys.platform == "win32" else "bin")


def _make(home: Path) -> None:
    shutil.rmtree(home, ignore_errors=True)
    subprocess.run([sys.executable, "-m", "venv", home], check=True)
    python = home / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    done = subprocess.run([*pip, *TOOLS], capture_output=True, text=True)
    if done.returncode:
        lacking(f"{' and '.join(TOOLS)} can't be installed: {done.stderr.strip()[-300:]}")
    (home / "ready").touch()
