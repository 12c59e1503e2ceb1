"""The pack's own routes on ComfyUI's server: `/promptreel/...`, also under `/api`.

One file per subject, each with its `ROUTES`; this is the list of those files. Imported only by
`comfy_entrypoint`, inside of ComfyUI. Must not know torch or nodes.
"""

from __future__ import annotations

from typing import Any

from . import boot, path, pipelines, scene, service, take
from .answers import Route
from .here import running_server

__all__ = ["SUBJECTS", "register", "running_server"]

SUBJECTS: tuple[tuple[Route, ...], ...] = (
    boot.ROUTES,
    scene.ROUTES,
    path.ROUTES,
    take.ROUTES,
    pipelines.ROUTES,
    service.ROUTES,
)


def register(server: Any) -> None:  # noqa: ANN401
    """Add the pack's routes to a server, unless it has them already. Nothing where there is none.

    ComfyUI puts all of `server.routes` onto its application when every pack is loaded.
    """
    table = getattr(server, "routes", None)
    if table is None:
        return
    known = {(getattr(route, "method", ""), getattr(route, "path", "")) for route in table}
    for subject in SUBJECTS:
        for route in subject:
            if (route.method, route.path) not in known:
                table.route(route.method, route.path)(route.handler)
