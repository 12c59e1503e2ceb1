"""Each test of this folder runs once for each implementation."""

from __future__ import annotations

import pytest

from sidecar.bus import LocalBus
from tests.sidecar.conformance.implementations import BUSES, STORES, Clock


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def bus():
    return LocalBus()


@pytest.fixture(params=STORES.values(), ids=list(STORES))
def opened(request, tmp_path, bus, clock):
    """Return a function that opens the same jobs, once more each time."""
    return lambda: request.param(tmp_path, bus, clock)


@pytest.fixture
async def store(opened):
    async with opened() as store:
        yield store


@pytest.fixture(params=BUSES.values(), ids=list(BUSES))
def any_bus(request):
    return request.param()
