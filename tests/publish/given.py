"""What the tests of publishing share: a manifest for the small graph, a service at ComfyUIs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from aiohttp import FormData

from sidecar.app import create_app
from sidecar.pool.pool import Watch
from sidecar.settings import Settings
from tests.fake_files import still
from tests.service import picture_form

MANIFEST: dict[str, Any] = {
    "title": "Mine",
    "mapping": {"image": [["1", "image"]], "text": [], "seed": [["2", "seed"]]},
    "outputs": {"video": "9"},
}


async def served(client: Any, folder: Path, *urls: str, **settings: Any) -> Any:
    """Start a service that looks at its ComfyUIs often; return its client."""
    values = Settings(data_dir=folder / "data", comfyui_url=",".join(urls), mode="comfyui")
    watch = Watch(look_s=0.05, away_look_s=0.05)
    return await client(create_app(replace(values, **settings), watch))


async def generate(service: Any, later: bool = False, **fields: str) -> tuple[int, Any]:
    """Upload a picture and ask for a video of it; return status and body.

    `later`: not to wait for it.
    """
    upload = await service.post("/api/upload", data=picture_form(still()))
    address = (await upload.json())["imageUrl"]
    form = FormData(default_to_multipart=True)
    for name, value in {"imageUrl": address, "text": "pan left", **fields}.items():
        form.add_field(name, value)
    headers = {"Prefer": "respond-async"} if later else {}
    answer = await service.post("/api/generate", data=form, headers=headers)
    return answer.status, await answer.json()


async def listing(service: Any, server: str = "") -> dict[str, Any]:
    """Return what GET /api/pipelines tells."""
    query = {"serverUrl": server} if server else {}
    answer = await service.get("/api/pipelines", params=query)
    assert answer.status == 200
    return await answer.json()


async def names(service: Any) -> list[str]:
    """Return the names of the published ones."""
    told = await listing(service)
    return [row["name"] for row in told["pipelines"] if row["published"]]
