"""Clients that trickle, dawdle or never read: they are let go in the end, and keep nobody waiting.

The real protocol on a real socket, with less patience than usual.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import sys
import time
import zlib
from dataclasses import replace

import aiohttp
import pytest

from sidecar.access.headers import BARE
from sidecar.bus import PREVIEW, Preview
from sidecar.http.slow import Patience, room
from sidecar.keys import BUS, MEDIA, STREAMS
from sidecar.media import LocalMediaStore
from sidecar.server import _patience
from sidecar.settings import Settings
from tests.hostile.places import Place, ended, serving
from tests.pictures import picture, saved
from tests.service import picture_form
from tests.sidecar.jobs_http import ASYNC, LONG
from tests.waiting import eventually

PROMPT_S = 3.0  # for an answer to somebody else; a busy machine takes its time
HASTY = Patience(idle_s=1.0, stall_s=0.5, body_s=2.5, most=40)
HEAD = b"POST /api/upload HTTP/1.1\r\nHost: localhost\r\n"
FORM = b"Content-Type: multipart/form-data; boundary=b\r\n"
PART = b'--b\r\nContent-Disposition: form-data; name="image"; filename="a.png"\r\n\r\n'
TEXT = b'--b\r\nContent-Disposition: form-data; name="text"\r\n\r\n'


@pytest.fixture
async def place(settings):
    async with serving(settings, HASTY) as started:
        yield started


async def healthy(place: Place) -> float:
    """Ask as somebody else would; return after how long the answer came."""
    begun = time.monotonic()
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"{place.url}/api/health") as answer,
    ):
        assert answer.status == 200
    return time.monotonic() - begun


async def dripped(writer: asyncio.StreamWriter, piece: bytes, pause: float) -> None:
    """Send `piece` again and again until it can't be sent any more."""
    with contextlib.suppress(ConnectionError):
        while not writer.is_closing():
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(pause)


@pytest.mark.parametrize("sent", [b"", b"GET / HT", HEAD, HEAD + b"X: "], ids=range(4))
async def test_heads_that_never_end_are_cut(place, sent):
    begun = time.monotonic()
    clients = [await place.open(sent) for _ in range(20)]
    drips = [asyncio.ensure_future(dripped(writer, b"y", 0.1)) for _, writer in clients if sent]
    assert await healthy(place) < PROMPT_S
    for reader, _ in clients:
        await ended(reader)
    assert time.monotonic() - begun < HASTY.idle_s + 3
    await eventually(lambda: place.connections == 0)
    await asyncio.gather(*drips)


@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize("path", [b"/api/upload", b"/api/generate", b"/api/jobs/x/cancel"])
async def test_a_trickling_body_is_given_up(place, settings, path, chunked):
    length = b"Transfer-Encoding: chunked\r\n" if chunked else b"Content-Length: 100000\r\n"
    head = HEAD.replace(b"/api/upload", path) + FORM + length + b"\r\n"
    begin = PART if path == b"/api/upload" else TEXT
    part = b"%x\r\n" % len(begin) + begin + b"\r\n" if chunked else begin
    reader, writer = await place.open(head, part)
    drip = asyncio.ensure_future(dripped(writer, b"1\r\nx\r\n" if chunked else b"x", 0.1))
    begun = time.monotonic()
    answer = await ended(reader)
    assert time.monotonic() - begun < 3 * HASTY.stall_s + 2
    if path != b"/api/jobs/x/cancel":
        assert answer.startswith(b"HTTP/1.1 400")
        assert json.loads(answer.partition(b"\r\n\r\n")[2])["code"] == "body_too_slow"
    await drip
    assert await healthy(place) < PROMPT_S
    await eventually(lambda: not list((settings.data_dir / "unfinished").iterdir()))


async def test_a_body_that_comes_steadily_but_takes_too_long_is_given_up(place):
    head = HEAD + FORM + b"Content-Length: 10000000\r\n\r\n"
    reader, writer = await place.open(head, PART)
    drip = asyncio.ensure_future(dripped(writer, b"x" * 1000, 0.05))
    begun = time.monotonic()
    answer = await ended(reader)
    assert b"body_too_slow" in answer
    assert HASTY.body_s <= time.monotonic() - begun < HASTY.body_s + 3
    await drip


def unfolding(begin: bytes, megabytes: int = 1500) -> bytes:
    """Return a packed body: a megabyte and a half that unfold to a thousand times as much."""
    pack, again = zlib.compressobj(9, zlib.DEFLATED, 31), zlib.compressobj(9, zlib.DEFLATED, -15)
    head = pack.compress(begin) + pack.flush(zlib.Z_FULL_FLUSH)
    block = again.compress(b"\n" * 2**20) + again.flush(zlib.Z_FULL_FLUSH)
    return head + block * megabytes


@pytest.mark.parametrize(
    ("path", "kind", "begin", "status"),
    [
        (b"/api/health", b"text/plain", b"", 405),  # nobody reads it
        (b"/nowhere", b"text/plain", b"", 404),
        (b"/api/upload", b"multipart/form-data; boundary=b", b"", 400),  # a form that never begins
        (b"/api/upload", b"multipart/form-data; boundary=b", PART + b"x\r\n--b--\r\n", 400),
        (b"/api/generate", b"multipart/form-data; boundary=b", TEXT + b"x\r\n--b--\r\n", 400),
        (b"/api/generate", b"application/json", b"{}", 400),
    ],
)
async def test_a_body_that_unfolds_holds_nobody_else_up(settings, path, kind, begin, status):
    body = unfolding(begin)
    async with serving(settings, Patience()) as place:
        await _sent_unfolding(place, path, kind, body, status)


async def _sent_unfolding(place: Place, path: bytes, kind: bytes, body: bytes, status: int):
    head = b"POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Encoding: gzip\r\n" % path
    head += b"Content-Type: %s\r\nContent-Length: %d\r\n\r\n" % (kind, len(body))
    reader, writer = await place.open(head)
    asked = asyncio.ensure_future(ended(reader, 30))
    begun = time.monotonic()
    writer.write(body)
    longest = 0.0
    while not asked.done():
        longest = max(longest, await healthy(place))
    assert longest < 1.0
    assert time.monotonic() - begun < 5.0  # and it is not unfolded to its end
    assert (await asked).startswith(b"HTTP/1.1 %d" % status)


async def test_a_body_that_is_slow_but_not_too_slow_arrives(place):
    png = saved(picture(300, 200), "BMP")
    length = len(PART) + len(png) + len(b"\r\n--b--\r\n")
    head = HEAD + FORM + b"Content-Length: %d\r\nConnection: close\r\n\r\n" % length
    reader, writer = await place.open(head, PART)
    step = len(png) // 15 + 1
    for at in range(0, len(png), step):
        writer.write(png[at : at + step])
        await asyncio.sleep(0.1)
    writer.write(b"\r\n--b--\r\n")
    assert (await ended(reader)).startswith(b"HTTP/1.1 200")


async def test_slow_uploads_do_not_hold_the_places_of_others(settings, png):
    async with serving(replace(settings, max_uploads=2), HASTY) as place:
        head = HEAD + FORM + b"Content-Length: 100000\r\n\r\n"
        slow = [await place.open(head, PART + b"\x89PNG") for _ in range(2)]
        async with aiohttp.ClientSession() as session:

            async def status() -> int:
                async with session.post(f"{place.url}/api/upload", data=picture_form(png)) as said:
                    return said.status

            await asyncio.sleep(0.2)
            assert await status() == 429
            for reader, _ in slow:
                await ended(reader)
            assert await status() == 200


async def big_file(place: Place, size: int) -> str:
    """Put a file of `size` bytes into the store; return its path."""
    media = place.app[MEDIA]
    assert isinstance(media, LocalMediaStore)
    async with media.scratch() as folder:
        path = folder / "big"
        with path.open("wb") as file:
            file.truncate(size)
        await media.put_file("big.mp4", path)
    return "/api/files/big.mp4"


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux gives up who reads nothing")
async def test_a_download_that_nobody_reads_is_cut(place):
    path = (await big_file(place, 64 * 2**20)).encode()
    asked = b"GET " + path + b" HTTP/1.1\r\nHost: localhost\r\n\r\n"
    clients = [await place.open(asked, buffer=4096) for _ in range(20)]
    for _, writer in clients:
        writer.transport.pause_reading()
    await eventually(lambda: place.connections == 20)
    assert await healthy(place) < PROMPT_S
    await eventually(lambda: place.connections == 0, 15)
    for _, writer in clients:
        writer.close()


async def test_an_answer_that_nobody_reads_is_cut(place, monkeypatch):
    """Answers that are no files, asked for and never read, where the system gives up nobody."""
    monkeypatch.delattr(socket, "TCP_USER_TIMEOUT", raising=False)
    asked = b"GET /api/pipelines HTTP/1.1\r\nHost: localhost\r\n\r\n"
    _, writer = await place.open(buffer=4096)
    writer.transport.pause_reading()
    flood = asyncio.ensure_future(dripped(writer, asked * 50, 0.01))
    await eventually(lambda: place.connections == 1)
    assert await healthy(place) < PROMPT_S
    await eventually(lambda: place.connections == 0, 15)
    await flood


async def test_who_follows_a_job_and_never_reads_is_cut(settings, png, monkeypatch):
    """Of events previews alone are large. Without what Linux does by itself."""
    monkeypatch.delattr(socket, "TCP_USER_TIMEOUT", raising=False)
    async with serving(replace(settings, demo_jobs=1), HASTY) as place:
        job = await begun(place, png)
        asked = b"GET /api/jobs/%s/events HTTP/1.1\r\nHost: localhost\r\n\r\n" % job.encode()
        for _ in range(10):
            await place.unread(asked)
        await eventually(lambda: place.app[STREAMS].open == 10)
        preview = Preview(b"\xff\xd8\xff" + bytes(200_000))
        end = time.monotonic() + 20
        while place.app[STREAMS].open and time.monotonic() < end:
            place.app[BUS].publish(job, PREVIEW, preview)
            assert await healthy(place) < PROMPT_S
            await asyncio.sleep(0.05)
        assert place.app[STREAMS].open == 0
        await eventually(lambda: place.connections == 0)


async def begun(place: Place, png: bytes) -> str:
    """Begin a job that takes long; return its id."""
    async with aiohttp.ClientSession(place.url) as session:
        async with session.post("/api/upload", data=picture_form(png)) as answer:
            fields = {**LONG, "imageUrl": (await answer.json())["imageUrl"]}
        async with session.post("/api/generate", data=fields, headers=ASYNC) as answer:
            return (await answer.json())["id"]


async def test_there_are_only_so_many_connections(place):
    clients = [await place.open() for _ in range(HASTY.most)]
    await eventually(lambda: place.connections == HASTY.most)
    reader, _ = await place.open()
    answer = await ended(reader)
    assert answer.startswith(b"HTTP/1.1 503")
    head, _, body = answer.decode().partition("\r\n\r\n")
    assert json.loads(body)["code"] == "too_many_connections"
    assert {f"{name}: {value}" for name, value in BARE.items()} <= set(head.split("\r\n"))
    for _, writer in clients:
        writer.close()
    await eventually(lambda: place.connections == 0)
    assert await healthy(place) < PROMPT_S


async def test_a_long_answer_to_a_patient_client_is_not_cut(settings):
    """Waiting for a video, and reading slowly but steadily, are no offence."""
    patience = Patience(idle_s=0.5, stall_s=0.4, body_s=0.5)
    async with serving(settings, patience) as place:
        path = (await big_file(place, 3 * 2**20)).encode()
        asked = b"GET " + path + b" HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        reader, _ = await place.open(asked, buffer=65536)
        got = 0
        while piece := await reader.read(100_000):
            got += len(piece)
            await asyncio.sleep(0.05)
        assert got > 3 * 2**20


def test_the_settings_reach_the_protocol():
    given = _patience(Settings(stall_seconds=7, body_seconds=8, max_connections=9))
    assert (given.stall_s, given.body_s, given.most) == (7, 8, 9)
    assert room(10**9) < 10**9 or sys.platform == "win32"
    assert room(5) == 5
