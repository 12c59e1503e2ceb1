"""Where the files of the studio page lie. Knows files only. Looks at the disk: in a thread."""

from __future__ import annotations

from pathlib import Path

_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
_WEB = Path(__file__).parent / "web"


def text() -> str:
    """Return the page."""
    return (_WEB / "page.html").read_text(encoding="utf-8")


def asset(name: str) -> tuple[Path, str]:
    """Return a file of the page and its content type. Raises KeyError."""
    known = {path.name: path for path in _WEB.iterdir() if path.suffix in _TYPES}
    return known[name], _TYPES[known[name].suffix]
