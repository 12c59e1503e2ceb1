"""Where the tests' tiny checkpoints are, and how a ComfyUI is told of them.

They are written once, into the tests' cache folder, under a hash of all that they are made from.
Knows files and ComfyUI's Python; must not know families.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
from pathlib import Path

from tests.e2e.comfyui import Installation, cache, locked

HERE = Path(__file__).parent
GENERATOR = HERE / "generate.py"
SHIM = HERE / "shim"
MANIFESTS = HERE.parent / "data" / "tiny_models"
SWITCH = "PROMPTREEL_TINY_MODELS"  # the environment variable that wakes the shim


def tiny_models(installation: Installation) -> Path:
    """Return a models folder of tiny checkpoints; write it first if need be (seconds)."""
    place = cache() / f"tiny-models-{_digest()}"
    with locked(place.with_suffix(".lock")):
        if not place.is_dir():
            _write(installation, place)
    return place


def search_path(models: Path, file: Path) -> tuple[str, ...]:
    """Return the arguments that make a ComfyUI look into `models` too. `file` is written."""
    folders = {folder.name: folder.name for folder in sorted(models.iterdir())}
    # JSON is YAML too
    file.write_text(json.dumps({"tiny": {"base_path": str(models), **folders}}), encoding="utf-8")
    return ("--extra-model-paths-config", str(file))


def _write(installation: Installation, place: Path) -> None:
    part = place.with_suffix(".part")
    shutil.rmtree(part, ignore_errors=True)
    command = [installation.python, GENERATOR, MANIFESTS, part]
    subprocess.run([str(word) for word in command], check=True)
    part.replace(place)


def _digest() -> str:
    made = hashlib.sha256(GENERATOR.read_bytes())
    for path in sorted(MANIFESTS.glob("*/*.txt")):
        made.update(path.relative_to(MANIFESTS).as_posix().encode() + path.read_bytes())
    return made.hexdigest()[:8]
