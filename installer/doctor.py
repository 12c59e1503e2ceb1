"""`install.py doctor`: what is there, what is not, and what to do about it. Changes nothing."""

from __future__ import annotations

import json
import os
import shutil
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from .checks import BROWSERS
from .comfyui import find
from .console import Trouble, say
from .environment import FOLDER, is_complete, read_stamp
from .pythons import requirements
from .serve import PORT, is_free
from .swap import NAME

LOCAL_COMFYUI = "http://127.0.0.1:8188"


@dataclass(frozen=True)
class Finding:
    """One line of the report. `bad`: without it, `run` does not work."""

    good: bool
    text: str
    bad: bool = False


def doctor(root: Path, comfyui: str | None, python: str | None) -> int:
    """Print the findings; return 1 if one of them keeps PromptReel from running."""
    findings = [*_machine(root), *_network(), *_folder(root, comfyui, python)]
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


def _network() -> Iterator[Finding]:
    free = is_free("127.0.0.1", PORT)
    taken = f"Port {PORT} is taken (by a running sidecar?): `run` would use another."
    yield Finding(free, f"Port {PORT} is free." if free else taken)
    named = os.environ.get("COMFYUI_SERVER_URL")
    url = named or LOCAL_COMFYUI
    version = _comfyui_version(url)
    if version:
        yield Finding(True, f"ComfyUI {version} answers on {url}.")
    elif named:
        yield Finding(False, f"COMFYUI_SERVER_URL is {url}, but no ComfyUI answers there.")
    else:
        yield Finding(False, f"No ComfyUI answers on {url}: the sidecar makes videos by itself.")


def _comfyui_version(url: str) -> str | None:
    """Ask a server; proxies are for other places."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(f"{url.rstrip('/')}/system_stats", timeout=2) as answer:
            return str(json.load(answer)["system"].get("comfyui_version", "of unknown version"))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def _folder(root: Path, given: str | None, python: str | None) -> Iterator[Finding]:
    if given is None:
        return
    try:
        comfyui = find(given, python, requirements(root))
    except Trouble as trouble:
        yield Finding(False, str(trouble), bad=True)
        return
    yield Finding(True, f"ComfyUI: {comfyui.folder}, its Python: {comfyui.python.path}.")
    missing = ", ".join(comfyui.python.missing)
    yield Finding(not missing, f"It lacks {missing}." if missing else "It has all packages.")
    place = comfyui.folder / "custom_nodes" / NAME
    yield Finding(
        place.is_dir(),
        f"The nodes are in {place}."
        if place.is_dir()
        else f"The nodes are not in {place}: `python install.py install --comfyui {given}`.",
    )
