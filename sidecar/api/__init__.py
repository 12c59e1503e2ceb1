"""HTTP only: parse, call, answer. `ROUTES` is one list."""

from __future__ import annotations

from functools import partial

from aiohttp import web

from sidecar.http.protocol import expected

from . import (
    docs,
    events,
    files,
    generate,
    jobs,
    metrics,
    scene,
    servers,
    status,
    studio,
    upload,
)

_get = partial(web.get, expect_handler=expected)
_post = partial(web.post, expect_handler=expected)

ROUTES: tuple[web.RouteDef, ...] = (
    _get("/", studio.root),
    _get("/studio/{asset}", studio.asset),
    _get("/api/health", status.health),
    _get("/api/ready", status.ready),
    _get("/metrics", metrics.metrics),
    _get("/api/pipelines", status.pipelines),
    _get("/api/servers", servers.servers),
    _post("/api/upload", upload.upload),
    _post("/api/generate", generate.generate),
    _post("/api/scene", scene.scene),
    _get("/api/files/{name}", files.file),
    _get("/api/jobs", jobs.jobs),
    _get("/api/jobs/{id}", jobs.job),
    _get("/api/jobs/{id}/events", events.events, allow_head=False),
    _post("/api/jobs/{id}/cancel", jobs.cancel),
    _get("/api/openapi.json", docs.openapi),
    _get("/docs", docs.docs),
    _get("/docs/{asset}", docs.asset),
)
