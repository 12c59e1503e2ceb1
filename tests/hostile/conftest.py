"""The real service under attack: a system that lies about names, and a watch on what it does."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from aiohttp import FormData

from sidecar.settings import Settings
from tests.hostile.traps import LyingNames, Watch, unwatch, watch
from tests.pictures import picture, saved
from tests.serving import client, files, never_blocking, tabled_errors
from tests.sidecar.hook_server import SECRET

__all__ = ["client", "files", "never_blocking", "tabled_errors"]


@pytest.fixture(scope="session")
def png() -> bytes:
    """A small picture."""
    return saved(picture(), "PNG")


@pytest.fixture
def names(monkeypatch) -> LyingNames:
    """The system's name lookup, which says what the test wants."""
    lying = LyingNames()
    monkeypatch.setattr(socket, "getaddrinfo", lying.getaddrinfo)
    return lying


@pytest.fixture
def tried() -> Iterator[Watch]:
    """Every connection that is tried during the test."""
    started = watch()
    yield started
    unwatch(started)


@dataclass
class Trap:
    """A server on loopback that nobody may reach; `hits` counts the connections."""

    port: int = 0
    hits: int = 0
    said: list[bytes] = field(default_factory=list)


@pytest.fixture
async def trap():
    caught = Trap()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        caught.hits += 1
        caught.said.append(await reader.read(1000))
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\nConnection: close\r\n\r\nsecret")
        writer.close()

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    caught.port = server.sockets[0].getsockname()[1]
    yield caught
    server.close()


@pytest.fixture
def settings(tmp_path) -> Settings:
    """The built-in engine; webhooks are on, and one host name may be private."""
    return Settings(
        data_dir=tmp_path / "data",
        local_comfyui_url="",
        fetch_seconds=5.0,
        webhook_secrets=(SECRET,),
        allowed_image_hosts=("pictures.test",),
    )


@pytest.fixture
def generate(client):
    """Return a function that asks for a video; what is not named is as it should be."""

    async def send(**fields: str):
        form = FormData(default_to_multipart=True)
        given = {"text": "zoom in", "seconds": "0.5", "resolution": "480p", "fps": "12", **fields}
        for name, value in given.items():
            form.add_field(name, value)
        return await client.post("/api/generate", data=form)

    return send
