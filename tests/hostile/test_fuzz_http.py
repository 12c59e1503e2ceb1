"""Any bytes over a real socket: one answer that keeps to the contract, never 5xx, never silence."""

from __future__ import annotations

import asyncio
import json
import socket
import sys
from collections.abc import Iterator

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.hostile.profile import examples

if sys.platform != "linux":
    pytest.skip("the service's process is looked at by /proc", allow_module_level=True)

from tests.chaos.processes import SidecarProcess

Answer = tuple[int, dict[str, str], bytes]
POSTS = st.sampled_from(["/api/upload", "/api/generate"])


@pytest.fixture(scope="module")
def service(tmp_path_factory) -> Iterator[SidecarProcess]:
    """One service for all; at the end it must be well, small, and must not have seen a fault."""
    process = SidecarProcess(
        tmp_path_factory.mktemp("fuzz"), "--local-comfyui-url", "", "--max-upload-mb", "1"
    )
    asyncio.run(process.start())
    yield process
    body = process.body()
    process.kill()
    assert "Traceback" not in process.log()
    assert "failed" not in process.log()
    assert body.rss_mb < 400
    assert body.files < 100
    assert list((process.data_dir / "unfinished").iterdir()) == []


def exchanged(service: SidecarProcess, sent: bytes, *, over: bool = False) -> bytes:
    """Send all; return all that is answered. `over`: tell that no more comes."""
    with socket.create_connection(("127.0.0.1", service.port), timeout=10) as sock:
        came = b""
        try:
            sock.sendall(sent)
            if over:
                sock.shutdown(socket.SHUT_WR)
            while piece := sock.recv(65536):
                came += piece
        except ConnectionError:
            pass  # cut in the middle of what it refused to read
        return came


def first(came: bytes) -> Answer:
    """Return the first answer of what came."""
    head, _, body = came.partition(b"\r\n\r\n")
    status, *lines = head.decode("latin-1").split("\r\n")
    headers = {k.lower(): v.strip() for k, _, v in (line.partition(":") for line in lines)}
    size = int(headers.get("content-length", len(body)))
    return int(status.split(" ")[1]), headers, body[:size]


def judged(came: bytes) -> int:
    """Check an answer against the contract; return its status, or 0 where there is none."""
    if not came:
        return 0
    status, headers, body = first(came)
    assert status < 500, came[:500]
    if status >= 400:
        said = json.loads(body)
        assert {"error", "details", "code"} <= set(said) <= {"error", "details", "code", "fields"}
        assert headers["content-type"].startswith("application/json")
        assert headers["x-content-type-options"] == "nosniff"
        assert said["error"].endswith(".")
        assert "\n" not in said["error"]
    return status


def request(path: str, kind: bytes, body: bytes, *more: bytes) -> bytes:
    """Return a POST with a right length."""
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n".encode()
    lines = b"".join(line + b"\r\n" for line in (b"Content-Type: " + kind, *more))
    return head + lines + b"Content-Length: %d\r\n\r\n" % len(body) + body


def plain(data: bytes) -> bytes:
    """Return bytes that may stand in a header."""
    return data.replace(b"\r", b"").replace(b"\n", b"").replace(b"\0", b"")


NAMES = st.sampled_from(
    [b"image", b"imageUrl", b"text", b"seconds", b"serverUrl", b"webhookUrl", b"comfyPipeline"]
)
NAMES |= st.binary(max_size=8).map(plain)
VALUES = st.sampled_from([b"x", b"", b"1e999", b"-1", b"\xff", b"\xd8\x00", b"/api/files/x.png"])
VALUES |= st.sampled_from([b"data:,", b"data:;base64,!", b"http://127.0.0.1:1/", b"file:///x"])
VALUES |= st.binary(max_size=40)
DISPOSITIONS = st.builds(
    lambda name, rest: b'Content-Disposition: form-data; name="' + name + b'"' + rest,
    NAMES,
    st.sampled_from(
        [
            b"",
            b'; filename="a.png"',
            b"; filename=",
            b"; filename*=UTF-8''%ff",
            b'; name="text"',
            b"; filename*0=a; filename*2=b",
            b';;;="',
            b"; filename*=x''%",
        ]
    ),
)
PART_HEADERS = DISPOSITIONS | st.sampled_from(
    [
        b"Content-Type: text/plain; charset=utf-16",
        b"Content-Type: text/plain; charset=undefined",
        b"Content-Type: text/plain; charset=idna",
        b"Content-Type: text/plain; charset=unicode_escape",
        b"Content-Type: text/plain; charset=zlib_codec",
        b"Content-Type: text/plain; charset=\xff",
        b"Content-Type: multipart/mixed; boundary=c",
        b"Content-Type: multipart/form-data; boundary=b",
        b"Content-Type: application/json",
        b"Content-Transfer-Encoding: base64",
        b"Content-Transfer-Encoding: quoted-printable",
        b"Content-Transfer-Encoding: binary",
        b"Content-Transfer-Encoding: x-uuencode",
        b"Content-Encoding: gzip",
        b"Content-Encoding: deflate",
        b"Content-Encoding: br",
        b"Content-Length: -1",
        b"Content-Length: 99999999999999999999",
        b"Content-Length: x",
        b"no colon",
        b": no name",
        b" folded",
        b"X: " + b"y" * 9000,
    ]
)
PARTS = st.builds(
    lambda headers, body: b"".join(h + b"\r\n" for h in headers) + b"\r\n" + body,
    st.lists(PART_HEADERS | DISPOSITIONS, max_size=4),
    VALUES | st.sampled_from([b"--c\r\n\r\nx\r\n--c--", b"--b", b"\r\n--b--\r\n", b"--b\r\n"]),
)
FORMS = st.builds(
    lambda parts, end: b"".join(b"--b\r\n" + part + b"\r\n" for part in parts) + end,
    st.lists(PARTS, max_size=6),
    st.sampled_from([b"--b--\r\n", b"--b--", b"--b", b"", b"\r\n", b"--b--\r\nepilogue", b"--c--"]),
)
BOUNDARIES = st.sampled_from(
    [b"b"] * 8
    + [b"", b'"b"', b'"', b"b;b", b"b" * 71, b"\xff", b" ", b"b; charset=utf-16", b"--", b"\x00"]
)


@examples(80)
@given(POSTS, BOUNDARIES, FORMS)
def test_any_multipart(service, path, boundary, form):
    kind = b"multipart/form-data; boundary=" + plain(boundary)
    assert judged(exchanged(service, request(path, kind, form))) >= 400


@pytest.mark.parametrize("count", [199, 200, 201, 20_000])
@pytest.mark.parametrize("path", ["/api/upload", "/api/generate"])
def test_very_many_fields(service, path, count):
    part = b'--b\r\nContent-Disposition: form-data; name="x%d"\r\n\r\ny\r\n'
    form = b"".join(part % n for n in range(count)) + b"--b--\r\n"
    kind = b"multipart/form-data; boundary=b"
    assert judged(exchanged(service, request(path, kind, form))) in (0, 400)
    pairs = b"&".join(b"x%d=y" % n for n in range(count))
    kind = b"application/x-www-form-urlencoded"
    assert judged(exchanged(service, request(path, kind, pairs))) == 400
    named = json.dumps({f"x{n}": "y" for n in range(count)}).encode()
    assert judged(exchanged(service, request(path, b"application/json", named))) == 400


@examples(40)
@given(
    st.binary(max_size=100)
    | st.lists(st.tuples(NAMES, VALUES), max_size=6).map(
        lambda pairs: b"&".join(name + b"=" + value for name, value in pairs)
    ),
    st.sampled_from(
        [b"", b"; charset=utf-16", b"; charset=rot13", b"; charset=idna", b"; x", b";="]
    ),
)
@example(b"text=%ff%fe&imageUrl=%00", b"")
@example(b"%" * 1000, b"")
@example(b"&" * 100_000, b"")
def test_any_urlencoded(service, body, charset):
    kind = b"application/x-www-form-urlencoded" + charset
    assert judged(exchanged(service, request("/api/generate", kind, body))) >= 400


INNER = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10)
INNER = st.recursive(INNER, lambda one: st.lists(one, max_size=3) | st.dictionaries(st.text(), one))


@examples(50)
@given(
    st.binary(max_size=60)
    | INNER.map(lambda value: json.dumps(value).encode())
    | st.dictionaries(
        st.sampled_from(["imageUrl", "text", "seconds", "fps", "seed", "aspect", "webhookUrl"]),
        INNER,
    ).map(lambda value: json.dumps(value).encode()),
    st.sampled_from(
        [b"", b"; charset=utf-16", b"; charset=utf-7", b"; charset=hex", b"; charset="]
    ),
)
@example(b"[" * 200_000, b"")
@example(b'{"a":' * 100_000, b"")
@example(b'{"text": "x", "text": "y"}', b"")
@example(b'{"text": NaN}', b"")
@example(b'{"text": "\\ud800", "imageUrl": "x"}', b"")
@example(b'{"seconds": ' + b"9" * 5000 + b"}", b"")
@example(b'{"seconds": 1e400, "text": "x", "imageUrl": "y"}', b"")
@example(b"\xef\xbb\xbf{}", b"")
def test_any_json(service, body, charset):
    kind = b"application/json" + charset
    assert judged(exchanged(service, request("/api/generate", kind, body))) >= 400


HEADERS = st.sampled_from(
    [
        b"Prefer",
        b"Idempotency-Key",
        b"Range",
        b"Last-Event-ID",
        b"If-Range",
        b"If-None-Match",
        b"If-Match",
        b"If-Modified-Since",
        b"Authorization",
        b"Origin",
        b"Host",
        b"Expect",
        b"Accept",
        b"X-Request-Id",
        b"traceparent",
        b"Content-Encoding",
        b"Cookie",
        b"X-Forwarded-For",
    ]
)
SAID = st.sampled_from(
    [
        b"respond-async",
        b"wait=0",
        b"wait=-1",
        b"wait=99999999999",
        b'wait="',
        b"bytes=0-",
        b"bytes=-",
        b"bytes=9-1",
        b"bytes=0-0,1-1",
        b"bytes=" + b"1-2," * 900,
        b"1.2",
        b"99999999999999.3.1",
        b'"',
        b'W/"x"',
        b"*",
        b"x" * 8000,
        b"Bearer",
        b"Bearer \xff",
        b"null",
        b"http://[",
        b"100-continue",
        b"Thu, 99 Foo 2026 99:99:99 GMT",
        b"gzip",
        b"00-0-0-0",
        b"",
        b" ",
        b"\xff\xfe",
        b"\x7f",
    ]
)
ROUTES = st.sampled_from(
    [
        "/",
        "/api/health",
        "/api/jobs",
        "/api/jobs?limit=x&cursor=%ff",
        "/api/jobs/x/events",
        "/docs",
        "/api/files/x.png",
        "/api/pipelines?serverUrl=http://[",
        "/api/servers",
        "/api/openapi.json",
        "/api/jobs?status=%00",
        "/api/jobs?limit=99999999999999999999",
        "/api/jobs?cursor=-1",
    ]
)


@examples(80)
@given(
    st.sampled_from(["GET", "HEAD", "POST", "OPTIONS", "PUT", "TRACE"]),
    ROUTES,
    st.lists(st.tuples(HEADERS, SAID | st.binary(max_size=20).map(plain)), max_size=4),
)
@example("PUT", "/", [(b"Expect", b"the-unexpected")])
@example("GET", "/nowhere", [(b"Expect", b"\xff\xfe")])
def test_any_headers(service, method, path, headers):
    lines = b"".join(name + b": " + value + b"\r\n" for name, value in headers)
    start = f"{method} {path} HTTP/1.1\r\nConnection: close\r\nHost: localhost\r\n".encode()
    came = exchanged(service, start + lines + b"\r\n")
    if method != "HEAD" and not came.startswith(b"HTTP/1.1 100"):
        assert judged(came) >= 200


@examples(50)
@given(
    st.binary(max_size=200)
    | st.lists(
        st.sampled_from(
            [
                b"GET / HTTP/1.1\r\n",
                b"Host: localhost\r\n",
                b"\r\n",
                b"POST /api/upload HTTP/1.1\r\n",
                b"Transfer-Encoding: chunked\r\n",
                b"Content-Length: 5\r\n",
                b"0\r\n",
                b"5\r\nhello\r\n",
                b"Transfer-Encoding: gzip, chunked\r\n",
                b"Content-Length: 6, 6\r\n",
                b"ffffffffffff\r\n",
                b"GET http://evil.test/ HTTP/1.1\r\n",
                b"GET /%00 HTTP/1.1\r\n",
                b"\n",
                b" x\r\n",
                b"\x00",
                b"PRI * HTTP/2.0\r\n",
                b"GET / HTTP/9.9\r\n",
                b"Upgrade: websocket\r\n",
                b"GET /\r\n",
                b"Connection: Upgrade\r\n",
                b"X:" + b"y" * 9000 + b"\r\n",
                b"OPTIONS * HTTP/1.1\r\n",
            ]
        ),
        max_size=9,
    ).map(b"".join)
)
def test_any_bytes_instead_of_http(service, data):
    judged(exchanged(service, data, over=True))
    assert judged(exchanged(service, b"GET /api/health HTTP/1.0\r\nHost: localhost\r\n\r\n")) == 200
