"""The little of YAML that ComfyUI's extra_model_paths.yaml is written in: sections of paths.

Knows the file's form; whoever needs more of YAML has PyYAML, which this program may not have.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_LINE = re.compile(r"(\s*)([\w.-]+)\s*:\s*(.*?)\s*")
NODES = "custom_nodes"


@dataclass(frozen=True)
class Section:
    """One section: its base folder (None: the file's own), and the folders of nodes it adds."""

    name: str
    base: Path | None
    nodes: tuple[Path, ...]


def sections(file: Path) -> list[Section]:
    """Return a file's sections; none where it can't be read."""
    try:
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, ValueError):
        return []
    return [_section(name, rows, file.parent) for name, rows in _read(text).items()]


def _section(name: str, rows: dict[str, list[str]], folder: Path) -> Section:
    base = _path(rows["base_path"][0]) if rows.get("base_path") else None
    start = folder / base if base else folder
    nodes = tuple(Path(os.path.normpath(start / _path(line))) for line in rows.get(NODES, ()))
    return Section(name, folder / base if base else None, nodes)


def _path(text: str) -> Path:
    return Path(os.path.expandvars(text)).expanduser()


def _read(text: str) -> dict[str, dict[str, list[str]]]:
    found: dict[str, dict[str, list[str]]] = {}
    rows: dict[str, list[str]] = {}
    block: list[str] = []  # the lines after "key: |" go there
    depth = -1  # how deep that key is; -1: no block is open
    for raw in _lines(text):
        indent = len(raw) - len(raw.lstrip())
        if depth >= 0 and indent > depth:
            block.append(_bare(raw))
            continue
        depth = -1
        line = _LINE.fullmatch(raw)
        if line is None:
            continue
        key, value = line[2], line[3]
        if not line[1]:
            rows = found.setdefault(key, {})
        elif value[:1] in ("|", ">"):
            block, depth = rows.setdefault(key, []), indent
        elif value:
            rows[key] = [_bare(value)]
    return found


def _lines(text: str) -> Iterator[str]:
    """Give the lines that say something, comments taken away."""
    for line in text.splitlines():
        told = re.sub(r"(^|\s)#.*", "", line).rstrip()
        if told:
            yield told.expandtabs(2)


def _bare(text: str) -> str:
    stripped = text.strip()
    quoted = len(stripped) > 1 and stripped[0] == stripped[-1] and stripped[0] in "'\""
    return stripped[1:-1] if quoted else stripped
