"""The checkout's own virtual environment: made, repaired, kept current, and left alone when it is.

A stamp inside tells what it was made for; it is written last, so that a cut-off install is done
again. Must not know what runs in the environment.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path

from .console import Trouble, capture, say

FOLDER = ".venv"
STAMP = "promptreel-install.json"
LOG = "promptreel-install.log"

# Prints the version of the Python that really runs, if all that was asked for (arguments: the
# extras) is installed and the folders of the service's packages are there.
_PROBE = r"""
import re, sys
from importlib.metadata import PackageNotFoundError, distribution, requires
from importlib.util import find_spec
try:
    for line in requires("promptreel") or ():
        extra = re.search(r"extra\s*==\s*['\"]([\w-]+)['\"]", line)
        if extra is None or extra[1] in sys.argv[1:]:
            distribution(re.match(r"[\w.-]+", line)[0])
except PackageNotFoundError as missing:
    sys.exit(f"{missing} is missing")
if None in map(find_spec, ("aiohttp", "aiosqlite", "av", "cv2", "numpy", "PIL")):
    sys.exit("a package is broken")
print("%d.%d.%d" % sys.version_info[:3])
"""


@dataclass(frozen=True)
class Stamp:
    """What an environment was made for: see `_key`; its Python's version; the extras in it."""

    key: str
    python: str
    extras: tuple[str, ...]


def ensure(root: Path, extras: Sequence[str] = ()) -> Path:
    """Return the Python of an environment that holds the project and these extras.

    Raises Trouble. Does nothing, and needs no network, where all is there.
    """
    venv = root / FOLDER
    stamp = read_stamp(venv)
    complete = stamp is not None and is_complete(root, stamp)
    held = stamp.extras if stamp and complete else ()
    if complete and set(extras) <= set(held):
        return python_of(venv)
    (venv / STAMP).unlink(missing_ok=True)
    wanted = tuple(sorted({*extras, *held}))
    version = _filled(root, wanted) if _works(python_of(venv)) else None
    if version is None:  # pip does not mend what it takes for installed: make it anew
        _make(venv)
        version = _filled(root, wanted)
    if version is None:
        raise Trouble(f"{venv} lacks packages although pip saw no error: move it away, try again.")
    _write(venv, Stamp(_key(root, version), version, wanted))
    return python_of(venv)


def python_of(venv: Path) -> Path:
    """Return where a virtual environment keeps its Python."""
    return venv / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def read_stamp(venv: Path) -> Stamp | None:
    """Return an environment's stamp, or None where it was not made to the end."""
    try:
        said = json.loads((venv / STAMP).read_text(encoding="utf-8"))
        return Stamp(said["key"], said["python"], tuple(said["extras"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def is_complete(root: Path, stamp: Stamp) -> bool:
    """Whether the environment is whole and was made for this state of the project."""
    current = stamp.key == _key(root, stamp.python)
    return current and _probe(root / FOLDER, stamp.extras) == stamp.python


def _probe(venv: Path, extras: tuple[str, ...]) -> str | None:
    """Return the version of an environment's Python, or None if anything is missing."""
    if not python_of(venv).is_file():
        return None
    told = capture([python_of(venv), "-I", "-c", _PROBE, *extras])
    return told.lines[-1] if told.status == 0 and told.lines else None


def _key(root: Path, python: str) -> str:
    """Digest of all that an environment depends on: the metadata, the Python, the place."""
    metadata = (root / "pyproject.toml").read_text(encoding="utf-8")
    return hashlib.sha256("\0".join((metadata, python, str(root))).encode()).hexdigest()


def _works(python: Path) -> bool:
    """Whether an environment's Python starts, is new enough and has pip."""
    check = "import sys, pip; sys.exit(sys.version_info < (3, 10))"
    return python.is_file() and capture([python, "-I", "-c", check]).status == 0


def _make(venv: Path) -> None:
    if venv.is_dir() and any(venv.iterdir()) and not (venv / "pyvenv.cfg").is_file():
        raise Trouble(f"{venv} is there but is no virtual environment: move it away first.")
    if Path(sys.prefix).resolve() == venv.resolve():
        raise Trouble(f"{venv} is broken: use a Python from outside, so that it can be made anew.")
    if find_spec("ensurepip") is None:
        raise Trouble(
            "This Python can't make virtual environments: install its venv package "
            "(Debian, Ubuntu: apt install python3-venv) and try again."
        )
    say(f"Making a virtual environment in {venv} ...")
    told = capture([sys.executable, "-m", "venv", "--clear", venv])
    if told.status:
        raise Trouble(f"{venv} can't be made: {told.reason}")


def _filled(root: Path, extras: tuple[str, ...]) -> str | None:
    """Install the project and its extras; return what `_probe` says then. Raises Trouble."""
    say("Installing PromptReel and what it needs (a minute or two the first time) ...")
    _pip(root, "pip>=21.3")  # what an editable install takes: Python 3.10.0 came with less
    _pip(root, "--editable", f"{root}[{','.join(extras)}]" if extras else str(root))
    return _probe(root / FOLDER, extras)


def _pip(root: Path, *arguments: str) -> None:
    venv = root / FOLDER
    pip = ["-I", "-m", "pip", "--disable-pip-version-check", "--no-input", "install"]
    told = capture([python_of(venv), *pip, *arguments], _is_news, venv / LOG)
    if told.status:
        raise Trouble(
            f"PromptReel can't be installed: {told.reason} (All that pip said is in {venv / LOG})"
        )


def _is_news(line: str) -> bool:
    return line.startswith("Collecting")


def _write(venv: Path, stamp: Stamp) -> None:
    part = venv / f"{STAMP}.part"
    part.write_text(json.dumps(asdict(stamp)) + "\n", encoding="utf-8")
    part.replace(venv / STAMP)
