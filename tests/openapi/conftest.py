"""The real service, its own description, and a client that holds every answer against it."""

from __future__ import annotations

import pytest

from sidecar.app import create_app
from sidecar.settings import Settings
from tests.openapi.described import Checked


@pytest.fixture
def settings(tmp_path) -> Settings:
    """No ComfyUI anywhere: the built-in engine."""
    return Settings(data_dir=tmp_path / "data", local_comfyui_url="")


@pytest.fixture
async def client(aiohttp_client, settings):
    return await aiohttp_client(create_app(settings))


@pytest.fixture
async def document(client) -> dict:
    response = await client.get("/api/openapi.json")
    assert response.status == 200, await response.text()
    return await response.json()


@pytest.fixture
def checked(client, document) -> Checked:
    return Checked(client, document)
