"""What there is to start: the service of the checkout that this pack lies in, or the installed one.

Knows files and packages' names. Must not import the service: it may run in another Python.
"""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

KEEPER = Path(__file__).with_name("keeper.py")
CHECKOUT = Path(__file__).resolve().parents[3]
NEEDED = ("aiohttp", "aiosqlite", "prometheus_client", "pydantic", "standardwebhooks", "tomli")
RUN_ONCE = "run `python install.py run` in PromptReel's folder once"

# What the one who starts decides; an operator's own values are for a service of theirs.
_OURS = ("HOST", "PORT", "DATA_DIR", "PUBLIC_URL", "API_KEY", "SERVERS_FILE", "MODE", "INSECURE")


@dataclass(frozen=True)
class Program:
    """`python` runs it with `path` in front of its modules; `why` it can't be run, or ""."""

    python: Path = Path(sys.executable)
    path: tuple[Path, ...] = field(default_factory=tuple)
    why: str = ""

    def command(self, data: Path) -> list[str]:
        """Return the command line: on this machine only, on a free port."""
        options = ("--host", "127.0.0.1", "--port", "0", "--data-dir", str(data))
        return [str(self.python), str(KEEPER), "serve", *options]

    def environment(self, comfyui: str, environ: Mapping[str, str]) -> dict[str, str]:
        """Return the environment for a service of one ComfyUI."""
        ours = {f"PROMPTREEL_{name}" for name in _OURS}
        kept = {
            name: value
            for name, value in environ.items()
            if name not in ours and not name.startswith("PROMPTREEL_PANEL_")
        }
        places = [*map(str, self.path), *filter(None, [environ.get("PYTHONPATH")])]
        paths = {"PYTHONPATH": os.pathsep.join(places)} if places else {}
        fixed = {"PYTHONUNBUFFERED": "1", "PYTHONUTF8": "1"}
        return {**kept, **paths, **fixed, "COMFYUI_SERVER_URL": comfyui}


def find(checkout: Path = CHECKOUT) -> Program:
    """Return what can be started here; blocks. A checkout's own environment goes first."""
    if (checkout / "sidecar" / "__main__.py").is_file():
        path = (checkout, checkout / "custom_nodes")
        own = checkout / ".venv" / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
        if own.is_file():
            return Program(own, path)
        return Program(path=path, why=_lacking())
    if _is_installed():
        return Program(why=_lacking())
    return Program(
        why="The service is not here: only this pack is. Clone the whole of PromptReel into "
        f"custom_nodes, and {RUN_ONCE}."
    )


def _lacking() -> str:
    missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    if not missing:
        return ""
    return f"ComfyUI's Python lacks {', '.join(missing)} for the service: {RUN_ONCE}."


def _is_installed() -> bool:
    try:
        version("promptreel")
    except PackageNotFoundError:
        return False
    return importlib.util.find_spec("sidecar") is not None
