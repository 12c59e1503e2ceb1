"""A small Hugging Face Hub on port 0: its real HTTP, and every way a download is known to break.

A real server, so that the real library crosses a real connection. As the Hub does, `resolve`
answers with the checksum and size in X-Linked-* headers and sends the bytes from another host.
"""

from __future__ import annotations

import hashlib
import re
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import quote, unquote

COMMIT = "c" * 40


@dataclass
class Faults:
    """What goes wrong; counters are used up, flags stay. All off: a well-behaved Hub."""

    cut_after: list[int] = field(default_factory=list)  # of the next answers: bytes before the cut
    hold_after: int | None = None  # bytes before an answer stops and stays open
    ignore_range: bool = False
    most_at_once: int = 1 << 60  # bytes that one answer may have
    other_bytes: bool = False  # the right length, not the right bytes
    gated: bool = False  # asks for a token, and has the repository's terms not accepted
    forbidden: bool = False
    status: int = 0  # of every answer


class FakeHub:
    """Start with `with FakeHub() as hub`; `hub.url` is its address."""

    def __init__(self) -> None:
        self.faults = Faults()
        self.files: dict[str, bytes] = {}
        self.plain: set[str] = set()  # files outside LFS: no checksum is told
        self.requests: list[tuple[str, str, str]] = []  # method, path, Range
        self.sent = 0
        self.encodings: set[str] = set()  # that were asked for
        self.tokens_elsewhere = 0  # a token must never reach the other host
        self.held = threading.Event()
        self.release = threading.Event()

    def __enter__(self) -> FakeHub:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()
        return self

    def __exit__(self, *_) -> None:
        self.release.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def add(self, path: str, data: bytes) -> str:
        """Add "owner/name/file"; return the address that a pipeline.json would tell."""
        self.files[path] = data
        owner, name, file = path.split("/", 2)
        return f"https://huggingface.co/{owner}/{name}/resolve/main/{file}?download=true"

    def gets(self) -> list[str]:
        """Return the Range of each download."""
        return [
            ran for method, path, ran in self.requests if (method, path[:5]) == ("GET", "/cdn/")
        ]


def _handler(hub: FakeHub) -> type[BaseHTTPRequestHandler]:
    class Handler(_Handler):
        pass

    Handler.hub = hub
    return Handler


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    hub: FakeHub

    def log_message(self, format, *args) -> None:  # noqa: A002  the base class names it
        pass

    def do_HEAD(self) -> None:
        self._answer()

    def do_GET(self) -> None:
        self._answer()

    def _answer(self) -> None:
        path = unquote(self.path.partition("?")[0])
        self.hub.requests.append((self.command, path, self.headers.get("Range", "")))
        self.hub.encodings.add(self.headers.get("Accept-Encoding", ""))
        refusal = self._refusal(path_is_elsewhere=path.startswith("/cdn/"))
        if refusal:
            return self._plain(*refusal)
        if path.startswith("/cdn/"):
            self.hub.tokens_elsewhere += "Authorization" in self.headers
            return self._bytes(self.hub.files[path[5:]])
        found = re.fullmatch(r"/([^/]+/[^/]+)/resolve/([^/]+)/(.+)", path)
        name = f"{found[1]}/{found[3]}" if found else ""
        if name not in self.hub.files:
            return self._plain(404, {"X-Error-Code": "EntryNotFound", "X-Repo-Commit": COMMIT})
        return self._resolve(name)

    def _refusal(self, *, path_is_elsewhere: bool) -> tuple[int, dict[str, str]] | None:
        faults, token = self.hub.faults, self.headers.get("Authorization")
        if faults.status:
            return faults.status, {}
        if path_is_elsewhere:
            return None
        if faults.gated and token != "Bearer good":
            return 401, {"X-Error-Code": "GatedRepo", "X-Error-Message": "Access is restricted."}
        if faults.forbidden:
            return 403, {"X-Error-Code": "GatedRepo", "X-Error-Message": "Not in the list."}
        return None

    def _resolve(self, name: str) -> None:
        data = self.hub.files[name]
        if name in self.hub.plain:
            headers = {"ETag": '"' + "1" * 40 + '"', "X-Linked-Size": str(len(data))}
        else:
            digest = hashlib.sha256(data).hexdigest()
            headers = {"X-Linked-Etag": f'"{digest}"', "X-Linked-Size": str(len(data))}
        elsewhere = self.hub.url.replace("127.0.0.1", "localhost")  # another origin
        where = f"{elsewhere}/cdn/{quote(name)}"
        self._plain(302, {**headers, "X-Repo-Commit": COMMIT, "Location": where})

    def _plain(self, status: int, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": "0"}.items():
            self.send_header(name, value)
        self.end_headers()

    def _bytes(self, data: bytes) -> None:
        if self.hub.faults.other_bytes:
            data = bytes(byte ^ 1 for byte in data)
        asked = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        ranged = None if self.hub.faults.ignore_range else asked
        start = int(ranged[1]) if ranged else 0
        last = int(ranged[2]) if ranged and ranged[2] else len(data) - 1
        sent = data[start : last + 1]
        if len(sent) > self.hub.faults.most_at_once:
            return self._plain(400, {})
        self.send_response(206 if ranged else 200)
        if ranged:
            self.send_header("Content-Range", f"bytes {start}-{last}/{len(data)}")
        self.send_header("Content-Length", str(len(sent)))
        self.end_headers()
        if self.command == "GET":
            self._send(sent)
        return None

    def _send(self, data: bytes) -> None:
        faults = self.hub.faults
        if faults.hold_after is not None:
            self.wfile.write(data[: faults.hold_after])
            self.hub.held.set()
            self.hub.release.wait(20)
            self.close_connection = True
            return
        cut = faults.cut_after.pop(0) if faults.cut_after else len(data)
        self.hub.sent += cut  # before: who has the bytes may look at once
        self.wfile.write(data[:cut])
        self.close_connection = cut < len(data)
