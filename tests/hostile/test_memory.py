"""Memory of the service as a process, under bodies that are made to fill it."""

from __future__ import annotations

import asyncio
import gzip
import io
import json
import sys
import zlib

import aiohttp
import pytest
from aiohttp import web

from sidecar.http.forms import read_fields
from tests.service import refusal

if sys.platform != "linux":
    pytest.skip("memory is read from /proc", allow_module_level=True)

from tests.hostile.test_corpus import peak_mb, service

MB = 2**20
SMALL = ("--max-upload-mb", "8")


def large_form(megabytes: int) -> bytes:
    """Return a JSON form with a data: URI of so many megabytes that is no picture."""
    uri = "data:image/png;base64," + "A" * (megabytes * MB)
    return json.dumps({"text": "x", "imageUrl": uri}).encode()


async def said(
    session: aiohttp.ClientSession, body: bytes, path: str = "/api/generate", **headers: str
) -> int:
    """Post a form; return the status of what is a refusal in any case."""
    kind = {"Content-Type": "application/json", **headers}
    async with session.post(path, data=io.BytesIO(body), headers=kind) as answer:
        assert answer.status in (400, 429)
        await refusal(answer, answer.status)
        return answer.status


@pytest.mark.parametrize("path", ["/api/generate", "/api/scene"])
async def test_many_large_forms_do_not_fill_the_memory(tmp_path, path):
    form = large_form(8)
    async with service(tmp_path, *SMALL) as (process, session):
        before = peak_mb(process)
        statuses = await asyncio.gather(*(said(session, form, path) for _ in range(24)))
        assert 400 in statuses
        assert 429 in statuses
        assert peak_mb(process) < before + 350  # four of the largest, and what reading them takes
        assert await said(session, form, path) == 400


async def test_forms_that_unpack_do_not_fill_the_memory(tmp_path):
    bomb = gzip.compress(b" " * (60 * MB), 6)
    twice = zlib.compress(bomb)
    async with service(tmp_path, *SMALL) as (process, session):
        before = peak_mb(process)
        for body, coding in ((bomb, "gzip"), (twice, "deflate"), (twice, "gzip, deflate")):
            headers = {"Content-Encoding": coding}
            statuses = [said(session, body, **headers) for _ in range(3)]
            assert set(await asyncio.gather(*statuses)) <= {400, 429}
            form = {"Content-Type": "multipart/form-data; boundary=b", **headers}
            async with session.post("/api/upload", data=io.BytesIO(body), headers=form) as answer:
                await refusal(answer)
        assert peak_mb(process) < before + 350
        assert "Traceback" not in process.log()


@pytest.mark.parametrize("form", [{"json": {"text": "x"}}, {"data": {"text": "x"}}])
async def test_a_form_is_not_kept_with_its_request(aiohttp_client, form):
    """As aiohttp would keep it: a request waits for minutes until its video is there."""
    kept = []

    async def handler(request: web.Request) -> web.Response:
        kept.append((await read_fields(request), request._read_bytes, request._post))
        return web.Response()

    app = web.Application()
    app.router.add_post("/", handler)
    await (await aiohttp_client(app)).post("/", **form)
    assert kept == [({"text": "x"}, None, None)]
