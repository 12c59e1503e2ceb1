"""The real service, its own description, and a client that holds every answer against it."""

from __future__ import annotations

import pytest

from tests.openapi.described import Checked
from tests.serving import client, settings, tabled_errors

__all__ = ["client", "settings", "tabled_errors"]


@pytest.fixture
async def document(client) -> dict:
    response = await client.get("/api/openapi.json")
    assert response.status == 200, await response.text()
    return await response.json()


@pytest.fixture
def checked(client, document) -> Checked:
    return Checked(client, document)
