"""Which ComfyUI a folder holds, and whether the pack works with it. Reads files only."""

from __future__ import annotations

import re
from pathlib import Path

from .console import Trouble, say

_VERSION = re.compile(r"""^(?:__version__|version)\s*=\s*["']([\w.+-]+)["']""", re.MULTILINE)
_REQUIRES = re.compile(r"""^requires-comfyui\s*=\s*["']([^"']+)["']""", re.MULTILINE)
_CLAUSE = re.compile(r"\s*(>=|<=|==|!=|>|<)\s*(\d+(?:\.\d+)*)\s*")


def version_of(comfyui: Path) -> str | None:
    """Return the version that a ComfyUI's files tell."""
    for name in ("comfyui_version.py", "pyproject.toml"):
        found = _VERSION.search(_text(comfyui / name))
        if found:
            return found[1]
    return None


def required(pack: Path) -> str:
    """Return which versions of ComfyUI a pack says that it works with; blank: any."""
    found = _REQUIRES.search(_text(pack / "pyproject.toml"))
    return found[1] if found else ""


def check(comfyui: Path, pack: Path) -> None:
    """Tell the version. Raises Trouble if the pack does not work with it."""
    version, wanted = version_of(comfyui), required(pack)
    if version is None:
        say(f"Its version is not told; PromptReel needs ComfyUI {wanted}.")
        return
    if not fits(version, wanted):
        raise Trouble(
            f"ComfyUI {version} in {comfyui} is not {wanted}, which PromptReel needs: "
            "update ComfyUI, then try again."
        )
    say(f"Its version: {version} (PromptReel needs {wanted or 'any'})")


def fits(version: str, wanted: str) -> bool:
    """Whether a version is in a range like ">=0.3.64,<2"."""
    clauses = [_CLAUSE.fullmatch(clause) for clause in wanted.split(",") if clause.strip()]
    return all(clause and _holds(_numbers(version), clause[1], clause[2]) for clause in clauses)


def _holds(have: tuple[int, ...], sign: str, text: str) -> bool:
    want = _numbers(text)
    return {
        ">=": have >= want,
        "<=": have <= want,
        "==": have == want,
        "!=": have != want,
        ">": have > want,
        "<": have < want,
    }[sign]


def _numbers(text: str) -> tuple[int, ...]:
    return (*map(int, re.findall(r"\d+", text)), 0, 0, 0)[:3]


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, ValueError):
        return ""
