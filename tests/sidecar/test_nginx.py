"""The real nginx with deploy/nginx/promptreel.conf before the real service: what must get through.

Only addresses are changed, and TLS is left out: see `configured`.
"""

from __future__ import annotations

import asyncio
import io
import re
import socket
import ssl
import subprocess
from dataclasses import replace
from pathlib import Path

import aiohttp
import pytest
from PIL import Image
from yarl import URL

from sidecar.app import create_app
from sidecar.http.streams import StreamPace, Streams
from sidecar.jobs import JobSpec
from sidecar.keys import STORE, STREAMS
from sidecar.settings_table import SETTINGS
from sidecar.values import Progress
from tests.needs import nginx
from tests.service import picture_form
from tests.sidecar.jobs_http import QUICK, read_events
from tests.waiting import found

CONF = Path(__file__).parents[2] / "deploy" / "nginx" / "promptreel.conf"
MAIN = """
daemon off;
worker_processes 1;
pid {folder}/pid;
error_log {folder}/error.log;
events {{ worker_connections 64; }}
http {{
    access_log off;
    {paths}
    include {folder}/promptreel.conf;
}}
"""
PATHS = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


def configured(text: str, own: int, service: int) -> str:
    """Return the file with a test's addresses: no TLS, and no second server on port 80."""
    first, second = text.split("\nserver {\n")[1:]
    assert "return 301 https://" in second
    text = text.replace(f"\nserver {{\n{second}", "\n").replace(
        "server 127.0.0.1:8190;", f"server 127.0.0.1:{service};"
    )
    text = re.sub(
        r"^    listen 443 ssl;$", f"    listen 127.0.0.1:{own};", text, flags=re.MULTILINE
    )
    text = re.sub(r"^    (listen \[::\]|ssl_).*$", "", text, flags=re.MULTILINE)
    assert "ssl" not in text
    assert first.startswith("    listen")
    return text


class Proxy:
    """nginx before the service; stopped by its own process."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"

    async def start(self, service: int) -> None:
        paths = "".join(f"{name}_temp_path {self.folder}/{name};\n" for name in PATHS)
        text = configured(CONF.read_text("utf-8"), self.port, service)
        (self.folder / "promptreel.conf").write_text(text, encoding="utf-8")
        main = MAIN.format(folder=self.folder, paths=paths)
        (self.folder / "nginx.conf").write_text(main, encoding="utf-8")
        self.process = await asyncio.create_subprocess_exec(
            *(nginx(), "-p", str(self.folder), "-c", str(self.folder / "nginx.conf")),
            *("-e", str(self.folder / "error.log")),
        )
        await found(self._listens, 10)

    async def _listens(self) -> bool:
        assert self.process.returncode is None, (self.folder / "error.log").read_text()
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", self.port)
        except ConnectionError:
            return False
        writer.close()
        await writer.wait_closed()
        return True

    async def stop(self) -> None:
        self.process.terminate()
        await self.process.wait()


@pytest.fixture
async def proxy(tmp_path):
    nginx()
    folder = tmp_path / "nginx"
    folder.mkdir(mode=0o755)
    for parent in (folder, *folder.parents[:2]):
        parent.chmod(0o755)
    return Proxy(folder)


@pytest.fixture
async def service(aiohttp_client, settings, proxy):
    app = create_app(replace(settings, public_url=proxy.url))
    app[STREAMS] = Streams(9, StreamPace(heartbeat_s=0.2, tick_s=0.05, look_s=0.2))
    client = await aiohttp_client(app)
    await proxy.start(client.port)
    yield client
    await proxy.stop()


@pytest.fixture
async def web(service, proxy):
    async with aiohttp.ClientSession(proxy.url) as session:
        yield session


async def test_a_video_is_made_through_it_and_seeks(web, proxy, png):
    async with web.post("/api/upload", data=picture_form(png)) as response:
        url = (await response.json())["imageUrl"]
    assert url.startswith(f"{proxy.url}/api/files/")
    async with web.post("/api/generate", data={"imageUrl": url, **QUICK}) as response:
        assert response.status == 200, await response.text()
        video = URL((await response.json())["video"]).path
    async with web.get(video) as response:
        whole = await response.read()
        assert response.headers["Accept-Ranges"] == "bytes"
        assert response.content_type == "video/mp4"
    async with web.get(video, headers={"Range": "bytes=10-99"}) as response:
        assert response.status == 206
        assert response.headers["Content-Range"] == f"bytes 10-99/{len(whole)}"
        assert await response.read() == whole[10:100]
    async with web.get(video, headers={"If-None-Match": response.headers["ETag"]}) as again:
        assert again.status == 304


async def test_events_come_at_once(web, service):
    store = service.app[STORE]
    request = {"image": "a.png", "text": "x", "pipeline": "p", "server": None, "params": {}}
    await store.submit(JobSpec("a", request, lane="test"))
    lease = await store.lease("w", "test", lease_s=60, wait_s=0)
    async with web.get("/api/jobs/a/events") as response:
        assert response.content_type == "text/event-stream"
        events = read_events(response)
        assert (await asyncio.wait_for(anext(events), 5)).name == "status"
        for value in (0.25, 0.5, 0.75):
            await store.extend(lease, lease_s=60, progress=Progress(value))
            event = await asyncio.wait_for(_progress(events), 2)
            assert event.data["value"] == value
        await store.complete(lease, {"image": "a.png", "video": "a.mp4"})
        assert [event.name async for event in events][-1] == "result"


async def _progress(events):
    while (event := await anext(events)).name != "progress" or not event.data["value"]:
        pass
    return event


async def test_fifty_megabytes_pass_and_more_is_refused_in_the_service_s_words(web):
    file = io.BytesIO()
    Image.new("RGB", (4100, 4000), (90, 60, 30)).save(file, "BMP")
    size = file.tell()
    assert 49e6 < size < 50 * 1024 * 1024
    file.seek(0)
    async with web.post("/api/upload", data=picture_form(file)) as response:
        assert response.status == 200, await response.text()
    for more, code in ((4 << 20, "file_too_large"), (8 << 20, "body_too_large")):
        larger = io.BytesIO(bytes(size + more))
        async with web.post("/api/upload", data=picture_form(larger)) as response:
            assert response.status == 400
            assert response.content_type == "application/json"
            assert (await response.json())["code"] == code


async def test_a_service_that_is_away_is_said_as_json(web, service):
    await service.close()
    async with web.get("/api/health") as response:
        assert response.status == 503
        assert response.headers["Retry-After"] == "5"
        assert set(await response.json()) == {"error", "details", "code"}


async def test_request_ids_are_those_of_the_caller_or_of_nginx(web):
    async with web.get("/api/health", headers={"X-Request-Id": "mine-1"}) as response:
        assert response.headers["X-Request-Id"] == "mine-1"
    async with web.get("/api/health", headers={"X-Request-Id": "a b"}) as response:
        assert re.fullmatch("[0-9a-f]{32}", response.headers["X-Request-Id"])


async def test_metrics_are_for_this_machine(web):
    async with web.get("/metrics") as response:
        assert response.status == 200
    assert "deny all;" in CONF.read_text("utf-8")


def test_its_numbers_are_those_of_the_settings():
    text = CONF.read_text("utf-8")
    default = {row.name: float(row.default) for row in SETTINGS if row.kind == "number"}
    sizes = [int(size) for size in re.findall(r"client_max_body_size (\d+)m;", text)]
    assert sizes[1] == default["max_upload_mb"] + 1
    assert sizes[2] >= default["max_upload_mb"] * 4 / 3 + 1
    waits = [int(seconds) for seconds in re.findall(r"proxy_read_timeout (\d+)s;", text)]
    assert max(waits) > default["total_seconds"]
    assert waits[2] > 2 * StreamPace().heartbeat_s


def test_the_whole_file_is_one_that_nginx_takes(tmp_path):
    """As it is, with TLS: `nginx -t` reads certificates, so there are some."""
    program = nginx()
    key, certificate = tmp_path / "privkey.pem", tmp_path / "fullchain.pem"
    ask = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-days",
        "2",
        "-subj",
        "/CN=x",
    ]
    made = subprocess.run(
        [*ask, "-newkey", "rsa:2048", "-keyout", str(key), "-out", str(certificate)],
        capture_output=True,
        timeout=60,
    )
    assert made.returncode == 0, made.stderr
    assert ssl.create_default_context(cafile=str(certificate))
    text = CONF.read_text("utf-8").replace("/etc/letsencrypt/live/reel.example.com", str(tmp_path))
    (tmp_path / "promptreel.conf").write_text(text, encoding="utf-8")
    paths = "".join(f"{name}_temp_path {tmp_path}/{name};\n" for name in PATHS)
    main = MAIN.format(folder=tmp_path, paths=paths)
    (tmp_path / "nginx.conf").write_text(main, encoding="utf-8")
    command = [program, "-t", "-p", str(tmp_path), "-c", str(tmp_path / "nginx.conf")]
    tried = subprocess.run(
        [*command, "-e", str(tmp_path / "error.log")], capture_output=True, text=True, timeout=60
    )
    assert "syntax is ok" in tried.stderr, tried.stderr
