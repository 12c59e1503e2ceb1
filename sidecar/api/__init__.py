"""HTTP only: parse, call, answer. `ROUTES` is one list."""

from __future__ import annotations

from functools import partial

from aiohttp import web

from sidecar.middlewares import expected

from . import events, files, generate, jobs, servers, status, upload

_get = partial(web.get, expect_handler=expected)
_post = partial(web.post, expect_handler=expected)

ROUTES: tuple[web.RouteDef, ...] = (
    _get("/", status.root),
    _get("/api/health", status.health),
    _get("/api/ready", status.ready),
    _get("/api/pipelines", status.pipelines),
    _get("/api/servers", servers.servers),
    _post("/api/upload", upload.upload),
    _post("/api/generate", generate.generate),
    _get("/api/files/{name}", files.file),
    _get("/api/jobs", jobs.jobs),
    _get("/api/jobs/{id}", jobs.job),
    _get("/api/jobs/{id}/events", events.events, allow_head=False),
    _post("/api/jobs/{id}/cancel", jobs.cancel),
)
