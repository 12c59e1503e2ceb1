"""The real application with the real engine on a temporary folder; the loop must never block."""

from __future__ import annotations

import io

import numpy as np
import pytest
from aiohttp import FormData
from blockbuster import blockbuster_ctx
from PIL import Image

from sidecar import middlewares
from sidecar.app import create_app
from sidecar.bus import LocalBus
from sidecar.error_codes import CODES
from sidecar.media import LocalMediaStore
from sidecar.settings import Settings
from sidecar.store import open_store
from tests.fake_comfy import FakeComfy
from tests.service import picture_form


@pytest.fixture(autouse=True)
def never_blocking():
    with blockbuster_ctx("sidecar") as guard:
        yield guard


@pytest.fixture(autouse=True)
def tabled_errors(monkeypatch):
    """Whatever error any test is answered with must be a row of the table of codes."""
    strange: list[tuple[str, int]] = []
    statuses = {row.code: row.statuses for row in CODES}
    answer = middlewares._answer

    def watched(error, status):
        if status not in statuses.get(error.code, ()):
            strange.append((error.code, status))
        return answer(error, status)

    monkeypatch.setattr(middlewares, "_answer", watched)
    yield
    assert not strange


@pytest.fixture(scope="session")
def png() -> bytes:
    """A small picture with something in it."""
    y, x = np.mgrid[0:90, 0:160]
    pixels = np.stack([x, y, x ^ y], axis=-1).astype(np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


@pytest.fixture
def settings(tmp_path) -> Settings:
    """No ComfyUI anywhere: the built-in engine."""
    return Settings(data_dir=tmp_path / "data", local_comfyui_url="")


@pytest.fixture
async def client(aiohttp_client, settings):
    return await aiohttp_client(create_app(settings))


@pytest.fixture
def files(settings):
    """Return a function that lists every file of the media store, unfinished ones too."""

    def listing() -> list[str]:
        folders = (settings.data_dir / "media", settings.data_dir / "unfinished")
        return sorted(path.name for folder in folders for path in folder.iterdir())

    return listing


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
