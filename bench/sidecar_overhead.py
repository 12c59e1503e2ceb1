"""What the sidecar adds to ComfyUI's own time, beside a bare client, on the real test ComfyUI.

    python -m bench.sidecar_overhead [pairs]

Each pair runs the same small graph (no model left to load, another seed each time) once by a bare
client (web socket, POST /prompt, history, one /view) and once through the sidecar over HTTP, in
turns. What ComfyUI itself took is told by its history, from execution_start to execution_success;
the rest of the time from request to answer is what the client or the sidecar added.
"""

from __future__ import annotations

import asyncio
import copy
import io
import json
import statistics
import sys
import tempfile
import time
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import numpy as np
from PIL import Image

from tests.e2e.comfyui import install
from tests.e2e.comfyui_server import ComfyUI

Json = dict[str, Any]
NAME = "small"
GRAPH: Json = {
    "1": {"class_type": "LoadImage", "inputs": {"image": "small.png"}},
    "2": {"class_type": "RepeatImageBatch", "inputs": {"image": ["1", 0], "amount": 2}},
    "3": {"class_type": "CreateVideo", "inputs": {"images": ["2", 0], "fps": 8.0}},
    "4": {
        "class_type": "PromptReelResult",
        "inputs": {"video": ["3", 0], "image": ["1", 0], "filename_prefix": "bench/small"},
    },
}
MANIFEST: Json = {
    "mapping": {"image": [["1", "image"]], "text": [], "fps": [["3", "fps"]]},
}


async def main(pairs: int) -> None:
    """Run the pairs and print the table."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        server = ComfyUI(install(), folder / "comfyui")
        server.link_pack()
        server.start()
        try:
            async with _sidecar(folder, server.url) as url, aiohttp.ClientSession() as session:
                bare = await _Bare.connect(session, server)
                await _measure(pairs, bare, await _Through.prepare(session, url))
        finally:
            server.stop()


async def _measure(pairs: int, bare: _Bare, through: _Through) -> None:
    runs: dict[str, list[float]] = {"bare client": [], "sidecar": []}
    own: list[float] = []
    for number in range(pairs + 5):
        order = [("bare client", bare), ("sidecar", through)]
        for name, way in order if number % 2 else reversed(order):
            started = time.perf_counter()
            record = await way.run(4 + number * 0.01 + (0.005 if way is bare else 0))
            total = (time.perf_counter() - started) * 1000
            if number >= 5:  # the first ones warm everything up
                took = _comfyui_ms(record)
                own.append(took)
                runs[name].append(total - took)
    print(f"{pairs} pairs; ComfyUI itself: median {statistics.median(own):.0f} ms\n")
    print(f"{'adds':<14}{'median':>10}{'p90':>10}")
    for name, values in runs.items():
        print(f"{name:<14}{statistics.median(values):>7.1f} ms{_p90(values):>7.1f} ms")


def _p90(values: list[float]) -> float:
    return statistics.quantiles(values, n=10)[-1]


def _comfyui_ms(record: Json) -> float:
    """Return how long ComfyUI ran the prompt, by its own clock."""
    told = {kind: data["timestamp"] for kind, data in record["status"]["messages"]}
    return told["execution_success"] - told["execution_start"]


class _Bare:
    """As little as a client of ComfyUI can do."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        url: str,
        socket: aiohttp.ClientWebSocketResponse[bool],
        client_id: str,
    ) -> None:
        self._session = session
        self._url = url
        self._socket = socket
        self._client_id = client_id

    @classmethod
    async def connect(cls, session: aiohttp.ClientSession, server: ComfyUI) -> _Bare:
        (server.input_dir / "small.png").write_bytes(_picture())
        client_id = uuid.uuid4().hex
        socket = await session.ws_connect(f"{server.url}/ws", params={"clientId": client_id})
        return cls(session, server.url, socket, client_id)

    async def run(self, fps: float) -> Json:
        graph = copy.deepcopy(GRAPH)
        graph["3"]["inputs"]["fps"] = fps
        prompt_id = str(uuid.uuid4())
        body = {"prompt": graph, "prompt_id": prompt_id, "client_id": self._client_id}
        async with self._session.post(f"{self._url}/prompt", json=body) as answer:
            assert answer.status == 200, await answer.text()
        async for message in self._socket:
            if message.type is not aiohttp.WSMsgType.TEXT:
                continue
            data = json.loads(message.data)["data"]
            if data.get("prompt_id") == prompt_id and data.get("node", "") is None:
                break
        async with self._session.get(f"{self._url}/history/{prompt_id}") as answer:
            record = (await answer.json())[prompt_id]
        video = record["outputs"]["4"]["promptreel"][0]["video"]
        async with self._session.get(f"{self._url}/view", params=video) as answer:
            assert await answer.read()
        return record


class _Through:
    """The same by the sidecar's API."""

    def __init__(self, session: aiohttp.ClientSession, url: str, image: str) -> None:
        self._session = session
        self._url = url
        self._image = image

    @classmethod
    async def prepare(cls, session: aiohttp.ClientSession, url: str) -> _Through:
        form = aiohttp.FormData()
        form.add_field("image", _picture(), filename="small.png")
        async with session.post(f"{url}/api/upload", data=form) as answer:
            return cls(session, url, (await answer.json())["imageUrl"])

    async def run(self, fps: float) -> Json:
        fields = {"imageUrl": self._image, "text": "x", "comfyPipeline": NAME, "fps": str(fps)}
        async with self._session.post(f"{self._url}/api/generate", data=fields) as answer:
            body = await answer.json()
            assert answer.status == 200, body
            return body["workflowResponse"]


@asynccontextmanager
async def _sidecar(folder: Path, comfyui: str) -> AsyncIterator[str]:
    """Start the sidecar as a process of its own; give its address."""
    place = folder / "pipelines" / NAME
    place.mkdir(parents=True)
    (place / "graph.json").write_text(json.dumps(GRAPH), encoding="utf-8")
    (place / "pipeline.json").write_text(json.dumps(MANIFEST), encoding="utf-8")
    options = {"port": 0, "data-dir": folder / "data", "comfyui-url": comfyui}
    options["pipelines-dir"] = place.parent
    arguments = [part for name, value in options.items() for part in (f"--{name}", str(value))]
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "sidecar", *arguments, stdout=asyncio.subprocess.PIPE
    )
    try:
        assert process.stdout is not None
        line = (await process.stdout.readline()).decode()
        yield next(word for word in line.split() if word.startswith("http"))
    finally:
        process.terminate()
        await process.wait()


def _picture() -> bytes:
    """A picture of 64x64 pixels."""
    pixels = np.random.default_rng(1).integers(0, 255, (64, 64, 3), np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 60))
