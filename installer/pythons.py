"""A Python that is not ours: what it is, and whether it has what requirements.txt asks for.

Requirements are lines `name>=version`. Must not change anything (`packages` does).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from .console import Trouble, capture

_PROBE = r"""
import json, re, sys
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
def numbers(text):
    return ([int(n) for n in re.findall(r"\d+", text)] + [0, 0, 0])[:3]
def missing(line):
    name, _, least = line.partition(">=")
    try:
        return numbers(version(name)) < numbers(least)
    except PackageNotFoundError:
        return True
print(json.dumps({
    "version": sys.version_info[:2],
    "torch": find_spec("torch") is not None,
    "pip": find_spec("pip") is not None,
    "missing": [line for line in sys.argv[1:] if missing(line)],
}))
"""


@dataclass(frozen=True)
class Interpreter:
    """A Python program and what it has."""

    path: Path
    version: tuple[int, int]
    torch: bool
    pip: bool
    missing: tuple[str, ...]  # lines of the requirements that it does not meet


def requirements(root: Path) -> tuple[str, ...]:
    """Return the lines of the pack's requirements.txt."""
    lines = (root / "requirements.txt").read_text(encoding="utf-8").splitlines()
    bare = (line.partition("#")[0].replace(" ", "") for line in lines)
    return tuple(line for line in bare if line)


def interpreter(path: Path, wanted: Sequence[str]) -> Interpreter:
    """Ask a Python what it is. Raises Trouble if it does not run or is too old."""
    told = capture([path, "-c", _PROBE, *wanted])
    try:
        values = json.loads(told.lines[-1])
        version = (values["version"][0], values["version"][1])
    except (ValueError, TypeError, KeyError, IndexError):
        raise Trouble(f"{path} is no Python that works here: {told.reason}") from None
    if version < (3, 10):
        found = ".".join(map(str, version))
        raise Trouble(f"{path} is Python {found}; PromptReel needs 3.10 or newer there.")
    return Interpreter(path, version, values["torch"], values["pip"], tuple(values["missing"]))
