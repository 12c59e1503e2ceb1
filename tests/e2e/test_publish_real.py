"""Publish as pipeline on the real ComfyUI: by HTTP, found by a service, kept, removed."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import av
import pytest

from tests.e2e.comfyui_server import ComfyUI
from tests.e2e.running_sidecar import png

ROOT = Path(__file__).parents[2]
PIPELINES = "/promptreel/pipelines"
LOOK_S = 20.0  # a service looks every 5 s; the machine may be busy
CORE = {
    "1": {"class_type": "LoadImage", "inputs": {"image": "example.png"}},
    "2": {"class_type": "RepeatImageBatch", "inputs": {"image": ["1", 0], "amount": 6}},
    "3": {"class_type": "CreateVideo", "inputs": {"images": ["2", 0], "fps": 6.0}},
    "4": {
        "class_type": "SaveVideo",
        "inputs": {
            "video": ["3", 0],
            "filename_prefix": "video/own",
            "format": "mp4",
            "codec": "h264",
        },
    },
}
NAME = "mine-\u043c\u0430\u044f\u043a"
MAPPING = {"image": [["1", "image"]], "text": [], "frames": [["2", "amount"]]}


def _ask(
    url: str,
    method: str = "GET",
    body: Any = None,
    data: bytes | None = None,
    kind: str = "application/json",
) -> tuple[int, Any]:
    sent = json.dumps(body).encode() if body is not None else data
    headers = {"Content-Type": kind} if sent is not None else {}
    request = urllib.request.Request(url, sent, headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=90) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def _until(look: Callable[[], Any], seconds: float = LOOK_S) -> Any:
    end = time.monotonic() + seconds
    while not (seen := look()):
        assert time.monotonic() < end, "it did not come about"
        time.sleep(0.1)
    return seen


class Service:
    """A service in a process of its own."""

    def __init__(self, url: str, folder: Path) -> None:
        paths = os.pathsep.join([str(ROOT), str(ROOT / "custom_nodes")])
        self._log = folder / "service.log"
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [
                    sys.executable,
                    "-m",
                    "sidecar",
                    "serve",
                    "--port",
                    "0",
                    "--data-dir",
                    str(folder / "data"),
                    "--comfyui-url",
                    url,
                ],
                stdout=log,
                stderr=log,
                cwd=folder,
                env={**os.environ, "PYTHONPATH": paths, "PYTHONUNBUFFERED": "1"},
            )
        said = _until(lambda: "listens on" in self._log.read_text() and self._log.read_text(), 40)
        self.url = said.partition("listens on ")[2].split()[0]

    def names(self) -> list[str]:
        _, told = _ask(f"{self.url}/api/pipelines")
        return [row["name"] for row in told.get("pipelines", ()) if row["published"]]

    def generate(self, **fields: str) -> tuple[int, Any]:
        _, upload = _form(f"{self.url}/api/upload", {}, png())
        return _form(f"{self.url}/api/generate", {"imageUrl": upload["imageUrl"], **fields})

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(20)


def _form(url: str, fields: dict[str, str], picture: bytes | None = None) -> tuple[int, Any]:
    """POST as curl -F does."""
    parts = [
        f'--x\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in fields.items()
    ]
    if picture is not None:
        head = b'Content-Disposition: form-data; name="image"; filename="a.png"\r\n'
        parts.append(b"--x\r\n" + head + b"Content-Type: image/png\r\n\r\n" + picture + b"\r\n")
    data = b"".join(parts) + b"--x--\r\n"
    return _ask(url, "POST", data=data, kind="multipart/form-data; boundary=x")


@pytest.fixture
def service(comfyui: ComfyUI, tmp_path: Path) -> Iterator[Service]:
    service = Service(comfyui.url, tmp_path)
    yield service
    service.stop()


@pytest.fixture
def mine(comfyui: ComfyUI) -> Iterator[str]:
    """A published pipeline's name that is free, and is again afterwards."""
    yield NAME
    comfyui.ensure()
    _ask(f"{comfyui.url}{PIPELINES}/{urllib.parse.quote(NAME)}", "DELETE")


def _frames(url: str) -> int:
    with urllib.request.urlopen(url, timeout=30) as answer:
        data = answer.read()
    with av.open(io.BytesIO(data)) as container:
        return sum(1 for _ in container.decode(video=0))


@pytest.mark.timeout(300)
def test_published_found_made_kept_and_removed(comfyui: ComfyUI, service: Service, mine: str):
    status, told = _ask(f"{comfyui.url}{PIPELINES}/read", "POST", {"graph": CORE})
    assert status == 200, told
    assert told["findings"][0]["slots"] == [["1", "image"]]
    assert told["missing"] == {"nodes": [], "models": []}
    body = {"name": mine, "title": "Own", "graph": CORE, "mapping": MAPPING}
    status, row = _ask(f"{comfyui.url}{PIPELINES}", "POST", body)
    assert status == 201, row
    _until(lambda: mine in service.names())
    status, answer = service.generate(comfyPipeline=mine, text="x", frames="9")
    assert status == 200, answer
    assert _frames(answer["video"]) == 9
    assert answer["workflowResponse"]

    comfyui.restart()
    rows = _ask(f"{comfyui.url}{PIPELINES}")[1]["pipelines"]
    assert mine in [row["name"] for row in rows]
    _until(lambda: mine in service.names(), 60)
    status, answer = service.generate(comfyPipeline=mine, text="x", frames="5")
    assert status == 200, answer
    assert _frames(answer["video"]) == 5

    status, told = _ask(f"{comfyui.url}{PIPELINES}/{urllib.parse.quote(mine)}", "DELETE")
    assert (status, told) == (200, {"name": mine, "removed": True})
    _until(lambda: mine not in service.names())
    status, answer = service.generate(comfyPipeline=mine, text="x")
    assert (status, answer["code"]) == (400, "unknown_pipeline")


@pytest.mark.timeout(300)
def test_bound_graph_is_queued_as_it_is(comfyui: ComfyUI, mine: str):
    body = {"name": "bound", "graph": CORE, "mapping": MAPPING, "replace": True}
    assert _ask(f"{comfyui.url}{PIPELINES}", "POST", body)[0] == 201
    (comfyui.input_dir / "bound.png").write_bytes(png())
    values = {"image": "bound.png", "text": "x", "frames": 3}
    status, told = _ask(f"{comfyui.url}{PIPELINES}/bound/bind", "POST", {"values": values})
    assert status == 200, told
    status, queued = _ask(f"{comfyui.url}/prompt", "POST", {"prompt": told["graph"]})
    assert (status, queued["node_errors"]) == (200, {})
    record = _until(lambda: _ask(f"{comfyui.url}/history/{queued['prompt_id']}")[1], 60)
    assert record[queued["prompt_id"]]["status"]["status_str"] == "success"
    assert _ask(f"{comfyui.url}{PIPELINES}/bound", "DELETE")[0] == 200


@pytest.mark.timeout(300)
def test_a_service_started_from_here_works_and_ends_with_comfyui(comfyui: ComfyUI):
    where = f"{comfyui.url}/promptreel/sidecar"
    status, told = _ask(where)
    assert (status, told["running"]) == (200, False)
    if not told["available"]:
        assert "install.py run" in told["why"]
        assert _ask(where, "POST", {"run": True})[0] == 409
        return
    status, told = _ask(where, "POST", {"run": True})
    assert (status, told["state"]) == (200, "running"), told
    assert _ask(f"{told['address']}/api/health")[1]["status"] == "ok"
    assert isinstance(_ask(f"{where}/jobs")[1]["jobs"], list)  # perhaps those of an earlier one
    comfyui.stop()
    _until(lambda: not _answers(told["address"]))
    comfyui.start()
    assert _ask(where)[1]["state"] == "stopped"


def _answers(url: str) -> bool:
    try:
        return _ask(f"{url}/api/health")[0] == 200
    except OSError:
        return False
