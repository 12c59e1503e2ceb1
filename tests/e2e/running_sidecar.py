"""The sidecar in front of the real ComfyUI, spoken to over HTTP as a browser would.

Knows the contract; must not know the sidecar's parts.
"""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path
from typing import Any

import av
import numpy as np
from aiohttp import FormData
from aiohttp.test_utils import TestClient
from PIL import Image
from yarl import URL

from sidecar.app import create_app
from sidecar.settings import Settings
from tests.e2e.landscape import landscape
from tests.service import picture_form

QUICK = {
    "comfyPipeline": "camera-motion",  # or the best of the model pipelines would be taken
    "seconds": "0.5",
    "resolution": "480p",
    "fps": "12",
}
PIPELINES = str(Path(__file__).parents[1] / "data" / "pipelines")


class Sidecar:
    """One running service."""

    def __init__(self, client: TestClient[Any, Any], settings: Settings) -> None:
        self.client = client
        self.settings = settings

    async def upload(self, data: bytes, filename: str = "picture.png") -> str:
        """Upload a picture; return its imageUrl."""
        response = await self.client.post("/api/upload", data=picture_form(data, filename))
        assert response.status == 200, await response.text()
        return (await response.json())["imageUrl"]

    async def ask(self, **fields: str | None) -> tuple[int, dict[str, Any]]:
        """POST /api/generate as a form, quick unless told otherwise; return status and body."""
        form = FormData(default_to_multipart=True)
        for name, value in {**QUICK, **fields}.items():
            if value is not None:
                form.add_field(name, value)
        response = await self.client.post("/api/generate", data=form)
        return response.status, await response.json()

    async def make(self, **fields: str | None) -> dict[str, Any]:
        """Generate, and demand a proper answer of ComfyUI."""
        status, answer = await self.ask(**fields)
        assert status == 200, answer
        assert set(answer) == {"image", "video", "jobId", "workflowResponse"}
        return answer

    async def job(self, job_id: str) -> dict[str, Any]:
        """Return a job as the API shows it."""
        return await (await self.client.get(f"/api/jobs/{job_id}")).json()

    async def file(self, url: str) -> bytes:
        """Return a file by the URL of an answer."""
        response = await self.client.get(URL(url).path)
        assert response.status == 200
        return await response.read()

    async def video(self, url: str) -> tuple[str, tuple[int, int], int]:
        """Return a video's type, size and number of frames, by decoding it."""
        response = await self.client.get(URL(url).path)
        with av.open(io.BytesIO(await response.read())) as container:
            stream = container.streams.video[0]
            frames = sum(1 for _ in container.decode(stream))
            return response.content_type, (stream.width, stream.height), frames


async def started(aiohttp_client: Any, folder: Path, url: str, **settings: Any) -> Sidecar:
    """Start a sidecar whose ComfyUI is at `url`."""
    values = replace(Settings(data_dir=folder / "data", comfyui_url=url), **settings)
    return Sidecar(await aiohttp_client(create_app(values)), values)


def png(seed: int = 0, width: int = 320, height: int = 240) -> bytes:
    """A picture with something in it; another seed, other bytes."""
    pixels = np.roll(landscape(width, height), seed, axis=1)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()
