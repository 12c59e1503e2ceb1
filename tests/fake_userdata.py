"""The user's folder of a small ComfyUI: core's /v2/userdata and /userdata/{file}."""

from __future__ import annotations

import json

from aiohttp import web


class UserData:
    """The files by path, each with its content and when it was changed."""

    def __init__(self) -> None:
        self.files: dict[str, tuple[bytes, float]] = {}
        self.changes = 0

    def publish(self, name: str, files: dict) -> None:
        """Put a pipeline's files (JSON, or bytes as they are) there."""
        for file, value in files.items():
            data = value if isinstance(value, bytes) else json.dumps(value).encode()
            self.changes += 1
            self.files[f"promptreel/pipelines/{name}/{file}"] = (data, float(self.changes))

    def unpublish(self, name: str) -> None:
        place = f"promptreel/pipelines/{name}/"
        self.files = {path: row for path, row in self.files.items() if not path.startswith(place)}

    def routes(self) -> list[web.RouteDef]:
        return [web.get("/v2/userdata", self._list), web.get("/userdata/{file}", self._file)]

    async def _list(self, request: web.Request) -> web.Response:
        folder = request.query["path"]
        found = {path: row for path, row in self.files.items() if path.startswith(f"{folder}/")}
        if not found:
            return web.Response(status=404, text="Requested path not found")
        rows = [
            {"path": path, "type": "file", "size": len(data), "modified": change}
            for path, (data, change) in found.items()
        ]
        return web.json_response([{"path": f"{folder}/x", "type": "directory"}, *rows])

    async def _file(self, request: web.Request) -> web.Response:
        path = request.match_info["file"]
        if path not in self.files:
            return web.Response(status=404)
        return web.Response(body=self.files[path][0])
