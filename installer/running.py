"""The ComfyUI that runs on this machine, and what it tells of itself: version and folders.

Knows its HTTP answers. Must not know what is done with them.
"""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import cast
from urllib.parse import urlsplit

from .places import Found, looks_like_comfyui

LOCAL = "http://127.0.0.1:8188"
URL = "COMFYUI_SERVER_URL"
_HERE = ("127.0.0.1", "localhost", "::1")
_SECONDS = 2.0


@dataclass(frozen=True)
class Running:
    """A ComfyUI that answers: its version, the program's path, and where it looks for nodes."""

    url: str
    version: str
    program: str
    nodes: tuple[Path, ...]


def running(environ: Mapping[str, str]) -> list[Found]:
    """Return the ComfyUIs of this machine that answer and whose folder can be told."""
    named = environ.get(URL, "").split(",")
    urls = [url.strip() for url in named if urlsplit(url.strip()).hostname in _HERE]
    asked = (_ask(url.rstrip("/")) for url in dict.fromkeys((*urls, LOCAL)))
    return [found for one in asked if one for found in _folders(one)]


def _folders(one: Running) -> list[Found]:
    """Return its folder: the program's, and where it looks for nodes first."""
    how = f"it runs: ComfyUI {one.version} at {one.url}"
    nodes = one.nodes[0] if one.nodes else None
    program = Path(one.program)
    places = [program.parent] if program.is_absolute() else []
    places += [nodes.parent] if nodes else []
    for place in places:
        if looks_like_comfyui(place):
            return [Found(place, how, True, nodes)]
    return []


def _ask(url: str) -> Running | None:
    """Ask a server; proxies are for other places."""
    try:
        system = _dict(_dict(_get(f"{url}/system_stats")).get("system"))
    except (OSError, ValueError):
        return None
    if not system:
        return None
    argv = system.get("argv")
    first = cast("list[object]", argv)[:1] if isinstance(argv, list) else []
    version = str(system.get("comfyui_version", "of unknown version"))
    return Running(url, version, str(first[0]) if first else "", _nodes(url))


def _nodes(url: str) -> tuple[Path, ...]:
    """Return the folders of nodes. The address is ComfyUI's own page's, so it may be gone."""
    try:
        told = _dict(_get(f"{url}/internal/folder_paths")).get("custom_nodes")
    except (OSError, ValueError):
        return ()
    lines = cast("list[object]", told) if isinstance(told, list) else []
    return tuple(path for path in map(Path, map(str, lines)) if path.is_dir())


def _get(address: str) -> object:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(address, timeout=_SECONDS) as answer:
        return json.load(answer)


def _dict(value: object) -> dict[str, object]:
    return cast("dict[str, object]", value) if isinstance(value, dict) else {}
