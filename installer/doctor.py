"""`install.py doctor`: what is there, what is not, and what to do about it. Changes nothing.

Knows what a checkout needs and ComfyUI's folders. All else the program itself tells
(`promptreel doctor`), once its environment is there.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from .checks import BROWSERS
from .choosing import find_all
from .comfyui import find, nodes_folder
from .console import Trouble, capture, say
from .environment import FOLDER, is_complete, python_of, read_stamp
from .places import this_machine
from .pythons import requirements
from .swap import NAME
from .versions import fits, required, version_of


@dataclass(frozen=True)
class Finding:
    """One line of the report. `bad`: without it, `run` does not work."""

    good: bool
    text: str
    bad: bool = False


def doctor(root: Path, comfyui: str | None, python: str | None) -> int:
    """Print the findings; return 1 if one of them keeps PromptReel from running."""
    elsewhere = _places(root) if comfyui is None else _folder(root, comfyui, python)
    findings = [*_machine(root), *_service(root), *elsewhere]
    for finding in findings:
        mark = "ok " if finding.good else "BAD" if finding.bad else "-- "
        say(f"{mark}  {finding.text}")
    return int(any(finding.bad and not finding.good for finding in findings))


def _machine(root: Path) -> Iterator[Finding]:
    makes = find_spec("ensurepip") is not None
    yield Finding(
        makes,
        "Python makes virtual environments."
        if makes
        else "This Python has no venv: install it (Debian, Ubuntu: apt install python3-venv).",
        bad=True,
    )
    yield _environment(root)
    writable = os.access(root, os.W_OK)
    yield Finding(writable, f"{root} is {'' if writable else 'not '}writable.", bad=True)
    browser = any(map(shutil.which, BROWSERS))
    yield Finding(browser, f"Chromium, for the tests only: {'found' if browser else 'not found'}.")


def _environment(root: Path) -> Finding:
    stamp = read_stamp(root / FOLDER)
    if stamp and is_complete(root, stamp):
        return Finding(True, f"{FOLDER} is complete (Python {stamp.python}).")
    return Finding(False, f"{FOLDER} is not complete: `python install.py run` makes it.")


def _service(root: Path) -> Iterator[Finding]:
    """Tell what the program's own doctor says; it needs the environment, so it may not be there."""
    python = python_of(root / FOLDER)
    if not python.is_file():
        return
    named = os.environ.get("PROMPTREEL_DATA_DIR") or str(root / "data")
    told = capture([python, "-I", "-m", "sidecar", "doctor", "--json", "--data-dir", named])
    try:
        rows = json.loads("\n".join(told.lines))["findings"]
        found = [_of_service(row) for row in rows]
    except (ValueError, KeyError, TypeError):
        found = [Finding(False, f"The program's own doctor does not answer: {told.reason}")]
    yield from found


def _of_service(row: dict[str, str]) -> Finding:
    text = " ".join(filter(None, (row["text"], row["do"])))
    return Finding(row["state"] == "ok", text, bad=row["state"] == "bad")


def _places(root: Path) -> Iterator[Finding]:
    found = find_all(this_machine(root))
    for one in found:
        yield Finding(True, f"A ComfyUI is in {one.folder} ({one.how}).")
    if not found:
        yield Finding(False, "No folder of a ComfyUI was found on this machine.")


def _folder(root: Path, given: str, python: str | None) -> Iterator[Finding]:
    try:
        comfyui = find(given, python, requirements(root))
    except Trouble as trouble:
        yield Finding(False, str(trouble), bad=True)
        return
    yield Finding(True, f"ComfyUI: {comfyui.folder}, its Python: {comfyui.python.path}.")
    missing = ", ".join(comfyui.python.missing)
    yield Finding(not missing, f"It lacks {missing}." if missing else "It has all packages.")
    version, wanted = version_of(comfyui.folder), required(root / "custom_nodes" / NAME)
    if version is not None:
        good = fits(version, wanted)
        yield Finding(good, f"It is version {version}; PromptReel needs {wanted}.", bad=True)
    place = nodes_folder(given, comfyui.folder) / NAME
    yield Finding(
        place.is_dir(),
        f"The nodes are in {place}."
        if place.is_dir()
        else f"The nodes are not in {place}: `python install.py install --comfyui {given}`.",
    )
