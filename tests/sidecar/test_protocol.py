"""Bytes that are no request of HTTP: the contract's JSON, one line in no log, and the end."""

from __future__ import annotations

import asyncio
import json
import logging

import pytest
from aiohttp import web

from sidecar.access.headers import BARE
from sidecar.app import create_app
from sidecar.http.protocol import listen

MARK = "<script>secret</script>"


@pytest.fixture
async def port(settings):
    """The real application behind our own protocol; the port where it listens."""
    app = create_app(settings)
    app.middlewares.insert(0, breaks)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    listening = await listen(runner, "127.0.0.1", 0)
    try:
        yield listening.sockets[0].getsockname()[1]
    finally:
        listening.close()
        await runner.cleanup()


@web.middleware
async def breaks(request, handler):
    if request.path == "/gone":
        raise ConnectionResetError
    if request.path == "/broken":
        raise RuntimeError("nobody foresaw this")
    return await handler(request)


async def answered(port, sent: bytes) -> tuple[int, dict[str, str], bytes]:
    """Send bytes; return status, headers and body of the one answer before the connection ends."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(sent)
        head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 20)
        body = await asyncio.wait_for(reader.read(), 20)
    finally:
        writer.close()
        await writer.wait_closed()
    first, *lines = head.decode().split("\r\n")
    headers = dict(line.lower().split(": ", 1) for line in lines if line)
    return int(first.split()[1]), headers, body


def said(answer, status=400) -> dict:
    found, headers, body = answer
    assert (found, headers["content-type"]) == (status, "application/json; charset=utf-8")
    assert {name: headers[name.lower()] for name in BARE} == {k: v.lower() for k, v in BARE.items()}
    assert "secret" not in body.decode()
    told = json.loads(body)
    assert set(told) == {"error", "details", "code"}
    assert all(isinstance(text, str) and text for text in told.values())
    return told


def asked(first=b"GET /api/health HTTP/1.1", *lines: bytes, body=b"") -> bytes:
    return b"\r\n".join([first, b"Host: localhost", *lines, b"", body])


JSON = b"Content-Type: application/json"


@pytest.mark.parametrize(
    "sent",
    [
        MARK.encode() + b"\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03secret\r\n\r\n",
        b"GET /secret HTTP/9.9\r\nHost: localhost\r\n\r\n",
        b"GET / secret HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        asked(b"GET /api/health HTTP/1.1", b"secret header without colon"),
        asked(b"GET /api/health HTTP/1.1", b"a\x00b: secret"),
        asked(b"GET /api/health HTTP/1.1", b"X: a\x00secret"),
        asked(b"GET /api/health HTTP/1.1", b"Content-Length: secret"),
        asked(b"GET /api/health HTTP/1.1", b"Content-Length: -1"),
        asked(b"POST /api/upload HTTP/1.1", b"Content-Length: 3", b"Content-Length: 4", body=b"x"),
        asked(
            b"POST /api/upload HTTP/1.1",
            b"Content-Length: 3",
            b"Transfer-Encoding: chunked",
            body=b"0\r\n\r\n",
        ),
        asked(b"POST /api/upload HTTP/1.1", b"Transfer-Encoding: secret", body=b"x"),
    ],
)
async def test_what_is_no_http_is_told_so(port, sent, caplog):
    body = said(await answered(port, sent))
    assert body["code"] == "invalid_request"
    assert "HTTP" in body["error"]
    assert not [record for record in caplog.records if record.levelno > logging.DEBUG]


@pytest.mark.parametrize(
    "sent",
    [
        asked(b"GET /" + b"secret" * 3000 + b" HTTP/1.1"),
        asked(b"GET /api/health HTTP/1.1", b"X-Long: " + b"secret" * 3000),
        asked(b"GET /api/health HTTP/1.1", b"secret" * 3000 + b": x"),
    ],
    ids=["address", "header", "name"],
)
async def test_lines_that_are_too_long(port, sent, caplog):
    body = said(await answered(port, sent))
    assert (body["code"], "too long" in body["error"]) == ("invalid_request", True)
    assert not [record for record in caplog.records if record.levelno > logging.DEBUG]


@pytest.mark.parametrize("encoding", [b"br", b"zstd", b"gzip", b"deflate"])
async def test_bodies_in_an_encoding_that_nobody_reads(port, encoding, caplog):
    """br and zstd where no library for them is there; gzip that is none."""
    head = b"Content-Encoding: " + encoding
    sent = asked(
        b"POST /api/generate HTTP/1.1", head, JSON, b"Content-Length: 6", body=b"\x00\x01\x02abc"
    )
    status, headers, body = await answered(port, sent)
    assert (status, headers["content-type"]) == (400, "application/json; charset=utf-8")
    assert json.loads(body)["code"] == "malformed_body"
    assert not [record for record in caplog.records if record.levelno > logging.DEBUG]


@pytest.mark.parametrize("path", [b"/api/health", b"/nowhere", b"/api/files/x.png", b"/api/jobs"])
@pytest.mark.parametrize("method", [b"GET", b"POST"])
async def test_a_broken_body_that_nobody_reads_is_no_fault_of_ours(port, path, method, caplog):
    lines = (b"Content-Encoding: gzip", JSON, b"Content-Length: 6", b"Connection: close")
    sent = asked(b"%s %s HTTP/1.1" % (method, path), *lines, body=b"\x00\x01\x02abc")
    status, headers, body = await answered(port, sent)
    assert (status, headers["content-type"]) == (status, "application/json; charset=utf-8")
    assert json.loads(body)
    assert not [record for record in caplog.records if record.levelno > logging.DEBUG]


async def test_what_fails_outside_of_the_application_is_said_in_json_and_logged(port, caplog):
    status, _, body = await answered(port, asked(b"GET /broken HTTP/1.1"))
    assert (status, json.loads(body)["code"]) == (500, "internal_error")
    assert "nobody foresaw this" in caplog.text
    assert b"foresaw" not in body


async def test_a_client_that_left_is_no_fault(port, caplog):
    with pytest.raises(asyncio.IncompleteReadError):
        await answered(port, asked(b"GET /gone HTTP/1.1"))
    assert not [record for record in caplog.records if record.levelno > logging.DEBUG]


async def test_a_good_request_is_answered_as_ever(port):
    sent = asked(b"GET /api/health HTTP/1.1", b"Connection: close")
    status, headers, body = await answered(port, sent)
    assert (status, json.loads(body)["status"]) == (200, "ok")
    assert headers["x-content-type-options"] == "nosniff"
