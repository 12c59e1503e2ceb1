"""Made-up ComfyUI folders with real Pythons, and install.py run on them as a person would."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACK = ROOT / "custom_nodes" / "promptreel"
NEEDED = {"av": "99.1", "numpy": "99.2", "pillow": "99.3"}
NO_NETWORK = {
    "PIP_NO_INDEX": "1",
    "PIP_CONFIG_FILE": os.devnull,
    "PIP_FIND_LINKS": "",
    "PIP_NO_CACHE_DIR": "1",
}


@dataclass(frozen=True)
class Result:
    status: int
    out: str
    err: str

    def refused(self) -> str:
        """Return the one sentence that a command ends with when it can't do its work."""
        assert self.status == 1, self
        assert "Traceback" not in self.out + self.err
        lines = self.err.strip().splitlines()
        assert len(lines) == 1, self.err
        assert lines[0].startswith("install.py: ")
        return lines[0]

    def done(self) -> str:
        """Return what a command said that did its work."""
        assert self.status == 0, self
        assert not self.err, self.err
        return self.out


@dataclass(frozen=True)
class Wheels:
    """A folder of tiny wheels that pip can install from without a network."""

    folder: Path

    def add(self, name: str, version: str, *needs: str) -> None:
        metadata = f"{name}-{version}.dist-info"
        with zipfile.ZipFile(self.folder / f"{name}-{version}-py3-none-any.whl", "w") as wheel:
            lines = "".join(f"Requires-Dist: {need}\n" for need in needs)
            wheel.writestr(f"{metadata}/METADATA", _metadata(name, version) + lines)
            tag = "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
            wheel.writestr(f"{metadata}/WHEEL", tag)
            wheel.writestr(f"{metadata}/RECORD", "")

    @property
    def environment(self) -> dict[str, str]:
        return {**NO_NETWORK, "PIP_FIND_LINKS": str(self.folder)}


@dataclass(frozen=True)
class Tree:
    """A ComfyUI folder whose Python has some packages, and the wheels for the others."""

    folder: Path
    wheels: Wheels

    @property
    def custom_nodes(self) -> Path:
        return self.folder / "custom_nodes"

    @property
    def place(self) -> Path:
        return self.custom_nodes / "promptreel"

    @property
    def python(self) -> Path:
        return python_of(self.folder / ".venv")

    def run(self, command: str, *arguments: str) -> Result:
        """Run a command of install.py on this ComfyUI."""
        given = ("--comfyui", str(self.folder), *arguments)
        return install_py(command, *given, environment=self.wheels.environment)

    def has(self, package: str) -> bool:
        """Whether the ComfyUI's Python has a package."""
        code = "import importlib.metadata as m, sys; m.version(sys.argv[1])"
        done = subprocess.run([self.python, "-c", code, package], capture_output=True)
        return done.returncode == 0

    def snapshot(self) -> dict[str, str]:
        """All that lies in the folder, but for Python's bytecode."""
        return snapshot(self.folder)


def snapshot(folder: Path) -> dict[str, str]:
    found = {}
    for path in sorted(folder.rglob("*")):
        if "__pycache__" not in path.parts:
            name = path.relative_to(folder).as_posix()
            found[name] = _content(path)
    return found


def _content(path: Path) -> str:
    if path.is_symlink():
        return f"-> {path.readlink()}"
    return path.read_bytes().hex() if path.is_file() else "folder"


def python_of(venv: Path) -> Path:
    return venv / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def install_py(
    *arguments: str,
    python: Path | str = sys.executable,
    root: Path = ROOT,
    environment: dict[str, str] | None = None,
) -> Result:
    """Run install.py from some other folder; our own environment does not show through."""
    done = subprocess.run(
        [python, root / "install.py", *arguments],
        cwd=root.anchor,
        env={**os.environ, **(environment or {})},
        capture_output=True,
        encoding="utf-8",
        timeout=500,
    )
    return Result(done.returncode, done.stdout, done.stderr)


def give(venv: Path, name: str, version: str) -> None:
    """Let a virtual environment believe that it has a package."""
    (site_packages,) = [*venv.glob("lib/python*/site-packages"), *venv.glob("Lib/site-packages")]
    folder = site_packages / f"{name}-{version}.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text(_metadata(name, version), encoding="utf-8")
    (folder / "RECORD").write_text(f"{folder.name}/METADATA,,\n{folder.name}/RECORD,,\n")


def _metadata(name: str, version: str) -> str:
    return f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
