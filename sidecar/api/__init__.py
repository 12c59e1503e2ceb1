"""HTTP only: parse, call, answer. `ROUTES` is one list."""

from __future__ import annotations

from aiohttp import web

from . import files, generate, jobs, status, upload

ROUTES: tuple[web.RouteDef, ...] = (
    web.get("/", status.root),
    web.get("/api/health", status.health),
    web.get("/api/ready", status.ready),
    web.get("/api/pipelines", status.pipelines),
    web.post("/api/upload", upload.upload),
    web.post("/api/generate", generate.generate),
    web.get("/api/files/{name}", files.file),
    web.get("/api/jobs/{id}", jobs.job),
    web.post("/api/jobs/{id}/cancel", jobs.cancel),
)
