"""Where the files of the page /docs lie: ours beside this one, Swagger UI's in its own package.

The package is swagger-ui-bundle-v2: of those on PyPI that hold a Swagger UI which reads OpenAPI 3.1
it alone asks for no other web framework (flask-swagger-ui wants Flask, drf-spectacular-sidecar
Django). Knows files only. Looks at the disk: in a thread.
"""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

_TYPES = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8"}
_HERE = Path(__file__).parent
_OURS = ("page.css", "page.js")
_BUNDLED = ("swagger-ui.css", "swagger-ui-bundle.js")


def text() -> str:
    """Return the page."""
    return (_HERE / "page.html").read_text(encoding="utf-8")


def asset(name: str) -> tuple[Path, str]:
    """Return a file of the page and its content type. Raises KeyError."""
    if name not in (*_OURS, *_BUNDLED):
        raise KeyError(name)
    folder = _HERE if name in _OURS else _bundle()
    return folder / name, _TYPES[Path(name).suffix]


def _bundle() -> Path:
    """Return the folder of Swagger UI; the package names it by the version that it holds."""
    return next(Path(str(files("swagger_ui_bundle"))).glob("vendor/swagger-ui-*"))
