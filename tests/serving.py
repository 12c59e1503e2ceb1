"""Fixtures of a service inside the test: nothing blocks its loop, no error is unheard of."""

from __future__ import annotations

import pytest
from blockbuster import blockbuster_ctx

from sidecar.app import create_app
from sidecar.error_codes import CODES
from sidecar.http import middlewares
from sidecar.settings import Settings


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
