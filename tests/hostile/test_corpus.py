"""Every hostile file, by every way in, to a service that is a process of its own.

It answers each with a video or one clear sentence, never 500; nothing stays on its disk that was
not accepted, and its memory stays bounded (VmHWM: the peak as the system saw it).
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import io
import json
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import aiohttp
import pytest
from aiohttp import FormData, web
from aiohttp.test_utils import TestServer
from PIL import Image, ImageOps

from tests.fake_comfy import FakeComfy
from tests.hostile.corpus import Hostile, corpus
from tests.service import refusal
from tests.waiting import eventually

if sys.platform != "linux":
    pytest.skip("memory is read from /proc", allow_module_level=True)

from tests.chaos.processes import SidecarProcess

MOST_MB = 700  # the engine loaded, two pictures decoded at once, and some room
SHORT = {"text": "zoom in", "seconds": "0.5", "resolution": "480p", "fps": "12"}
EVERY_VIDEO = bool(os.environ.get("PROMPTREEL_TEST_HOSTILE"))


@contextlib.asynccontextmanager
async def service(
    base: Path, *more: str
) -> AsyncIterator[tuple[SidecarProcess, aiohttp.ClientSession]]:
    """Give a running service that may fetch from this machine, and a client of it."""
    options = ("--local-comfyui-url", "", "--allowed-image-hosts", "127.0.0.1")
    process = SidecarProcess(base, *options, "--max-queued", "1000", *more)
    try:
        await process.start()
        async with aiohttp.ClientSession(process.url) as session:
            yield process, session
    finally:
        process.kill()


def peak_mb(process: SidecarProcess) -> float:
    """Return the most memory that the process has had so far."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if "VmHWM" in line) / 1024


def left(process: SidecarProcess) -> tuple[set[str], list[str]]:
    """Return the names of stored pictures, and what is unfinished."""
    media, unfinished = process.data_dir / "media", process.data_dir / "unfinished"
    pictures = {path.name for path in media.iterdir() if path.suffix != ".mp4"}
    return pictures, [path.name for path in unfinished.iterdir()]


async def each(files: tuple[Hostile, ...], do: Callable[[Hostile], Awaitable[object]]) -> None:
    """Do something with all files, a few at once."""
    places = asyncio.Semaphore(4)

    async def one(file: Hostile) -> None:
        async with places:
            await do(file)

    await asyncio.gather(*map(one, files))


async def uploaded(session: aiohttp.ClientSession, file: Hostile) -> str:
    """Upload; return the picture's URL, or "" where it was rightly refused."""
    form = FormData()
    form.add_field("image", io.BytesIO(file.data), filename=file.name, content_type="image/png")
    async with session.post("/api/upload", data=form) as answer:
        if answer.status == 200 and file.readable is not False:
            url = (await answer.json())["imageUrl"]
            await served_as_a_picture(session, url, file)
            return url
        assert file.readable is not True, (file, await answer.text())
        body = await refusal(answer)
        assert body["code"] == "invalid_image"
        return ""


async def served_as_a_picture(session: aiohttp.ClientSession, url: str, file: Hostile) -> None:
    """Nothing in it can make a browser take it for a page."""
    async with session.get(url) as answer:
        assert await answer.read() == file.data
        assert answer.content_type.startswith("image/")
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


def accepted_alike(file: Hostile, status: int, body: str) -> None:
    """A file is judged alike, whichever way it came."""
    assert status in (202, 400), (file, status, body)
    if file.readable is not None:
        assert (status == 202) == file.readable, (file, body)


async def asked(session: aiohttp.ClientSession, file: Hostile, address: str) -> None:
    """Ask for a video of the picture at `address`, and cancel it where that was taken."""
    fields = {**SHORT, "imageUrl": address}
    headers = {"Prefer": "respond-async", "Content-Type": "application/json"}
    body = io.BytesIO(json.dumps(fields).encode())
    async with session.post("/api/generate", data=body, headers=headers) as answer:
        accepted_alike(file, answer.status, await answer.text())
        if answer.status == 400:
            await refusal(answer)
            return
        job = await answer.json()
    async with session.post(job["urls"]["cancel"]) as canceled:
        assert canceled.status == 200


@contextlib.asynccontextmanager
async def picture_server(files: tuple[Hostile, ...]) -> AsyncIterator[str]:
    """Serve the files at their place in the list."""

    async def answer(request: web.Request) -> web.Response:
        data = files[int(request.match_info["place"])].data
        return web.Response(body=io.BytesIO(data), content_type="image/png")

    app = web.Application()
    app.router.add_get("/{place}", answer)
    async with TestServer(app) as server:
        yield str(server.make_url("/"))


def test_the_corpus_is_large():
    assert len({file.data for file in corpus()}) >= 150
    assert len({file.name for file in corpus()}) == len(corpus())


@pytest.mark.timeout(300)
async def test_every_file_by_every_way_is_a_picture_or_a_sentence(tmp_path):
    files = corpus()
    place = {file.name: at for at, file in enumerate(files)}
    async with service(tmp_path) as (process, session), picture_server(files) as base:
        urls: dict[str, str] = {}

        async def upload(file: Hostile) -> None:
            urls[file.name] = await uploaded(session, file)

        await each(files, upload)
        stored, unfinished = left(process)
        assert stored == {url.rpartition("/")[2] for url in urls.values() if url}
        assert unfinished == []
        await each(
            files[:: 1 if EVERY_VIDEO else 2],
            lambda file: asked(session, file, f"{base}{place[file.name]}"),
        )
        await each(
            files[:: 1 if EVERY_VIDEO else 3], lambda file: asked(session, file, data_uri(file))
        )
        await eventually(lambda: not left(process)[1])  # jobs that were canceled have ended
        again, _ = left(process)
        assert {name for name in again if "-" not in name} == stored
        assert peak_mb(process) < MOST_MB
        assert "Traceback" not in process.log()


def loaded_as_comfyui_does(data: bytes) -> None:
    """Decode as its LoadImage node: upright, in RGB."""
    with Image.open(io.BytesIO(data)) as image:
        assert min(ImageOps.exif_transpose(image).convert("RGB").size) > 0


def data_uri(file: Hostile) -> str:
    """Return the file as an address that holds it."""
    return f"data:image/png;base64,{base64.b64encode(file.data).decode()}"


def readable() -> tuple[Hostile, ...]:
    """Return the files that must become videos: all, or some of each kind."""
    found = tuple(file for file in corpus() if file.readable)
    return found if EVERY_VIDEO else found[::6]


@pytest.mark.timeout(300)
async def test_what_is_accepted_becomes_a_video(tmp_path):
    async with service(tmp_path) as (process, session):

        async def made(file: Hostile) -> None:
            url = await uploaded(session, file)
            async with session.post("/api/generate", json={**SHORT, "imageUrl": url}) as answer:
                body = await answer.json()
                assert answer.status == 200, (file, body)
                assert body["isDemo"] is True
            async with session.get(body["video"]) as video:
                assert video.content_type == "video/mp4"
                assert (await video.read())[4:8] == b"ftyp"

        await each(readable(), made)
        assert peak_mb(process) < MOST_MB
        assert "Traceback" not in process.log()


@pytest.mark.filterwarnings("ignore::UserWarning")  # Pillow's, on odd metadata
@pytest.mark.timeout(300)
async def test_a_comfyui_gets_only_pictures_that_it_can_read(tmp_path):
    """What came in as EXIF bombs, polyglots and 16 bits arrives there as a plain picture."""
    async with service(tmp_path) as (process, session), FakeComfy(run_s=0.001) as fake:

        async def made(file: Hostile) -> None:
            url = await uploaded(session, file)
            if not url:
                return
            fields = {**SHORT, "imageUrl": url, "serverUrl": fake.url}
            async with session.post("/api/generate", json=fields) as answer:
                body = await answer.json()
                assert answer.status == 200, (file, body)
                assert "workflowResponse" in body

        await each(corpus(), made)
        given = [data for (kind, *_), data in fake.files.items() if kind == "input"]
        assert len(given) > 60
        for data in given:
            loaded_as_comfyui_does(data)
        assert peak_mb(process) < MOST_MB
        assert "Traceback" not in process.log()
