"""The real application with the real engine on a temporary folder; the loop must never block."""

from __future__ import annotations

import io

import numpy as np
import pytest
from aiohttp import FormData
from PIL import Image

from sidecar.bus import LocalBus
from sidecar.media import LocalMediaStore
from sidecar.store import open_store
from tests.fake_comfy import FakeComfy
from tests.service import picture_form
from tests.serving import client, files, never_blocking, settings, tabled_errors

__all__ = ["client", "files", "never_blocking", "settings", "tabled_errors"]


@pytest.fixture(scope="session")
def png() -> bytes:
    """A small picture with something in it."""
    y, x = np.mgrid[0:90, 0:160]
    pixels = np.stack([x, y, x ^ y], axis=-1).astype(np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


@pytest.fixture
def upload(client, png):
    """Return a function that uploads a picture and gives its URL."""

    async def send(data: bytes = png, **more) -> str:
        response = await client.post("/api/upload", data=picture_form(data, **more))
        assert response.status == 200, await response.text()
        return (await response.json())["imageUrl"]

    return send


@pytest.fixture
def generate(client):
    """Return a function that posts a multipart form to /api/generate: quick, short, small."""

    async def send(**fields):
        form = FormData(default_to_multipart=True)
        for name, value in {"seconds": "0.5", "resolution": "480p", "fps": "12", **fields}.items():
            if value is not None:
                form.add_field(name, value)
        return await client.post("/api/generate", data=form)

    return send


@pytest.fixture
async def fake():
    async with FakeComfy() as server:
        yield server


@pytest.fixture
def bus():
    return LocalBus()


@pytest.fixture
async def store(tmp_path, bus):
    async with open_store(tmp_path / "jobs.db", bus) as opened:
        yield opened


@pytest.fixture
async def media(tmp_path):
    opened = LocalMediaStore(tmp_path)
    await opened.open(alone=True)
    return opened
