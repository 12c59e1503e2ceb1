"""What is to be installed into somebody's Python so that nothing there changes for the worse.

Every package that is there keeps its version, by pip's constraints; of the few that must become
newer only versions come in question that ComfyUI's requirements and the other packages allow. What
was installed can be taken back. Must not know the pack.
"""

from __future__ import annotations

import json
import re
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from .console import Told, Trouble, capture, say
from .pythons import interpreter

# Prints, one a line, what pip must keep to: its arguments are ComfyUI's requirements.txt, then the
# names of the packages that may change.
_CONSTRAINTS = r"""
import re, sys
from importlib.metadata import distributions
try:
    from pip._vendor.packaging.requirements import Requirement
    from pip._vendor.packaging.version import Version
except ImportError:
    Requirement = Version = None
def plain(name):
    return re.sub(r"[-_.]+", "-", name).lower()
def about(line):
    try:
        wish = Requirement(line.partition("#")[0].strip())
    except Exception:
        return
    if plain(wish.name) in free and str(wish.specifier) and not wish.url:
        if wish.marker is None or wish.marker.evaluate({"extra": ""}):
            print(f"{wish.name}{wish.specifier}")
free = set(map(plain, sys.argv[2:]))
for one in distributions():
    name, version = one.metadata["Name"], one.version
    if not name or not version:
        continue
    if plain(name) not in free:
        try:
            print(f"{name}=={Version(version) if Version else version}")
        except ValueError:
            pass
    if Requirement:
        for line in one.requires or ():
            about(line)
if Requirement:
    try:
        lines = open(sys.argv[1], encoding="utf-8").read().splitlines()
    except OSError:
        lines = []
    for line in lines:
        about(line)
"""
_CONFLICT = ("ResolutionImpossible", "conflicting dependencies", "No solution found")


@dataclass(frozen=True)
class Change:
    """One package: its version now ("" if it is not there), and the one to come."""

    name: str
    before: str
    after: str


class Packages:
    """The packages that one Python lacks (`missing`: lines `name>=version`), put there safely."""

    def __init__(self, python: Path, missing: Sequence[str], comfyui: Path, *, pip: bool) -> None:
        self._python = python
        self._missing = list(missing)
        self._comfyui = comfyui
        self._pip = pip
        self._before: dict[str, str] = {}

    def install(self) -> None:
        """Install them. Raises Trouble, also where ComfyUI's own packages would have to change."""
        self._before = self._versions()
        with tempfile.TemporaryDirectory() as folder:
            kept = Path(folder, "constraints.txt")
            kept.write_text("\n".join(self._constraints()) + "\n", encoding="utf-8")
            told = self._run("install", "-c", kept, *self._missing)
        if told.status:
            raise Trouble(self._refusal(told))
        left = interpreter(self._python, self._missing).missing
        if left:
            raise Trouble(f"{self._python} still has no {', '.join(left)} after the installation.")
        for change in self._changes():
            was = f", was {change.before}" if change.before else ""
            say(f"  {change.name} {change.after}{was}")

    def undo(self) -> None:
        """Take back what `install` has changed. Raises Trouble where it can't."""
        changes = self._changes()
        new = [change.name for change in changes if not change.before]
        older = [f"{change.name}=={change.before}" for change in changes if change.before]
        if new:
            self._check(self._run("uninstall", *(["-y"] if self._pip else []), *new))
        if older:
            self._check(self._run("install", "--no-deps", *older))

    def _check(self, told: Told) -> None:
        if told.status:
            raise Trouble(f"{self._python}: its packages could not be put back: {told.reason}")

    def _changes(self) -> list[Change]:
        if not self._before:
            return []
        now = self._versions()
        names = (name for name in now if now[name] != self._before.get(name))
        return [Change(name, self._before.get(name, ""), now[name]) for name in names]

    def _versions(self) -> dict[str, str]:
        code = (
            "import json; from importlib.metadata import distributions as d; "
            "print(json.dumps({x.metadata['Name']: x.version for x in d() if x.metadata['Name']}))"
        )
        told = capture([self._python, "-c", code])
        try:
            return json.loads(told.lines[-1])
        except (ValueError, IndexError):
            raise Trouble(f"{self._python} does not tell its packages: {told.reason}") from None

    def _constraints(self) -> tuple[str, ...]:
        names = [re.split(r"[<>=!~ ]", line)[0] for line in self._missing]
        asked = [self._python, "-c", _CONSTRAINTS, self._comfyui / "requirements.txt", *names]
        told = capture(asked)
        if told.status:
            raise Trouble(f"{self._python} does not tell its packages: {told.reason}")
        return tuple(dict.fromkeys(line for line in told.lines if line))

    def _refusal(self, told: Told) -> str:
        wanted = " ".join(self._missing)
        if any(word in line for word in _CONFLICT for line in told.lines):
            return (
                f"{wanted} can't be installed for {self._python} without changing what ComfyUI or "
                f"its other nodes need: {told.reason} Nothing was changed; update ComfyUI first."
            )
        return f"{wanted} can't be installed for {self._python}: {told.reason}"

    def _run(self, action: str, *arguments: str | Path) -> Told:
        command = [*self._installer(), action, *self._target(), *arguments]
        return capture(command, lambda line: line.startswith("Collecting"))

    def _target(self) -> list[str | Path]:
        return [] if self._pip else ["--python", self._python]

    def _installer(self) -> list[str | Path]:
        if self._pip:
            return [self._python, "-m", "pip", "--disable-pip-version-check", "--no-input"]
        uv = shutil.which("uv")
        if uv:
            return [uv, "pip"]
        lines = " ".join(self._missing)
        raise Trouble(
            f"{self._python} has no pip: install there first what PromptReel needs: {lines}"
        )
