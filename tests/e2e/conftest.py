"""The real ComfyUI as a fixture: one server for the whole test run."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.e2e.comfyui import Installation, Unavailable, install
from tests.e2e.comfyui_server import ComfyUI
from tests.needs import lacking
from tests.tiny_models.models import SHIM, SWITCH, search_path, tiny_models

FOUND = pytest.StashKey["Installation | Unavailable"]()
FIXTURES = {"comfyui", "comfyui_installation"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests that need a ComfyUI."""
    for item in items:
        if _needs(item):
            item.add_marker("comfyui")


def pytest_collection_finish(session: pytest.Session) -> None:
    """Install ComfyUI before the first test, where no test's timeout is running yet."""
    if any(map(_needs, session.items)) and not session.config.option.collectonly:
        try:
            session.config.stash[FOUND] = install()
        except Unavailable as why:
            session.config.stash[FOUND] = why


def _needs(item: pytest.Item) -> bool:
    return not FIXTURES.isdisjoint(getattr(item, "fixturenames", ()))


@pytest.fixture(scope="session")
def comfyui_installation(request: pytest.FixtureRequest) -> Installation:
    """The ComfyUI folder and its Python. CI fails without one; elsewhere the test is skipped."""
    found = request.config.stash[FOUND]
    return found if isinstance(found, Installation) else lacking(str(found))


@pytest.fixture(scope="session")
def comfyui(
    comfyui_installation: Installation, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ComfyUI]:
    """The one server of the test run: with the pack, and tiny checkpoints of every family."""
    base = tmp_path_factory.mktemp("comfyui")
    models = tiny_models(comfyui_installation)
    arguments = search_path(models, base / "tiny_models.yaml")
    # threads that wait must not keep a core busy: others run at the same time
    environment = {SWITCH: "1", "OMP_WAIT_POLICY": "PASSIVE"}
    server = ComfyUI(comfyui_installation, base, arguments, environment)
    server.link("tiny_models", SHIM)
    server.link_pack()
    server.start()
    yield server
    server.stop()


@pytest.fixture(autouse=True)
def _running(request: pytest.FixtureRequest) -> None:
    """Start the server again if an earlier test has killed it."""
    if "comfyui" in request.fixturenames:
        request.getfixturevalue("comfyui").ensure()
