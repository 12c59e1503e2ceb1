"""A small ComfyUI on port 0: its real protocol, and every way it is known to misbehave.

A real aiohttp server, so that what the sidecar does to it crosses a real connection. The protocol
and the faults are those measured in a running ComfyUI 0.3.75: messages and their order, one place
per prompt, restart wiping queue, history and numbers, a second socket of the same client id being
dropped by the first one's end. A "graph" here is any API graph; its save node gets the files.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import struct
import uuid
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

from aiohttp import WSCloseCode, web
from aiohttp.test_utils import TestServer

from tests.fake_files import still, video
from tests.fake_userdata import UserData

OUTPUT_NODE = "9"
CORE = ("LoadImage", "KSampler", "RepeatImageBatch", "CreateVideo", "SaveVideo")
OWN = tuple(f"PromptReel{name}" for name in ("Request", "Scene", "Still", "Animate", "Result"))
GRAPH = {
    "1": {"class_type": "LoadImage", "inputs": {"image": "a.png"}, "_meta": {"title": "Picture"}},
    "2": {"class_type": "KSampler", "inputs": {"image": ["1", 0], "seed": 1}},
    OUTPUT_NODE: {
        "class_type": "SaveVideo",
        "inputs": {"video": ["2", 0], "filename_prefix": "video/x"},
    },
}


@dataclass
class Faults:
    """What goes wrong; counters are used up, flags stay. All off: a well-behaved server."""

    lose_answers: int = 0  # the prompt is queued, its answer is not sent
    drop_posts: int = 0  # the connection breaks before the prompt is queued
    queue_then_500: int = 0
    always_500: bool = False
    reject: dict | None = None  # body of a 400
    node_errors: dict | None = None  # 200, and the rest is queued all the same
    error: dict | None = None  # execution_error of the next runs
    interrupted_by_other: bool = False
    outputs: dict | None = None  # instead of the file's record (ExecutionBlocker: {})
    executed: dict | None = None  # what the socket says of the outputs, instead of the truth
    mute: bool = False  # sockets open and never say a word
    refuse_sockets: bool = False
    lose_interrupts: int = 0
    deaf: bool = False  # interrupts are never noticed
    broken_json: bool = False
    drop_views: int = 0
    huge: bool = False  # a file says that it is larger than anybody keeps
    cut_views: int = 0  # files that come by half, as if that were all
    hide_queue: int = 0
    refuse: bool | str = False  # breaks each connection, or those for a path; it goes on unheard
    hide_records: int = 0  # reads of one record that do not find it
    redirect: str = ""
    slow: dict[str, float] = field(
        default_factory=dict
    )  # path or file -> seconds before the answer


class FakeComfy:
    """Start with `async with FakeComfy() as fake`; `fake.url` is its address."""

    def __init__(self, *, run_s: float = 0.02, hold: bool = False) -> None:
        self.faults = Faults()
        self.run_s = run_s
        self.hold = asyncio.Event()
        if not hold:
            self.hold.set()
        self.posts: list[dict] = []
        self.requests: list[tuple[str, str, dict]] = []
        self.completed: Counter[str] = Counter()
        self.interrupts: list[str] = []
        self.files: dict[tuple[str, str, str], bytes] = {}
        self.nodes = {name: {} for name in (*CORE, *OWN)}
        self.user = UserData()
        self.models = {"checkpoints": ["a.safetensors"], "loras": ["sub\\b.safetensors"]}
        self.argv = ["main.py"]
        self.version = "0.3.75"
        self.system = "posix"
        self.input_dir: Path | None = None
        self.check_pictures = False
        self.linger_s = 0.0  # between the last node and the end of the prompt
        self.socket_count = 0
        self.after_read: Callable[[], Awaitable[None]] | None = None  # before a read is answered
        self._wipe()

    def _wipe(self) -> None:
        self.number = 0
        self.pending: list[list] = []
        self.running: list[list] = []
        self.history: dict[str, dict] = {}
        self.sockets: dict[str, web.WebSocketResponse] = {}
        self.cache: dict[str, dict] = {}
        self.interrupted = False

    async def __aenter__(self) -> FakeComfy:
        self._wake = asyncio.Event()
        await self._start(0)
        return self

    async def __aexit__(self, *_) -> None:
        await self.stop()

    async def _start(self, port: int) -> None:
        app = web.Application(middlewares=[self._middleware], client_max_size=100 << 20)
        app.on_shutdown.append(self._close_sockets)
        app.add_routes(
            [
                web.get("/ws", self._ws),
                web.post("/prompt", self._post_prompt),
                web.get("/prompt", self._get_prompt),
                web.get("/queue", self._get_queue),
                web.post("/queue", self._post_queue),
                web.get("/history", self._get_newest),
                web.get("/history/{id}", self._get_history),
                web.post("/history", self._post_history),
                web.post("/interrupt", self._post_interrupt),
                web.post("/upload/image", self._upload),
                web.get("/view", self._view),
                web.get("/object_info", self._object_info),
                web.get("/models", self._folders),
                web.get("/models/{folder}", self._models),
                web.get("/features", self._features),
                *self.user.routes(),
                web.get("/system_stats", self._stats),
            ]
        )
        self.server = TestServer(app, port=port)
        await self.server.start_server(shutdown_timeout=0.5)  # not 60 s
        self.url = f"http://127.0.0.1:{self.server.port}"
        self.worker = asyncio.create_task(self._work())

    async def stop(self) -> None:
        """Kill: nothing survives but the output files."""
        self.worker.cancel()
        await asyncio.gather(self.worker, return_exceptions=True)
        await self.server.close()
        self._wipe()

    async def restart(self, *, down_s: float = 0.0) -> None:
        """Stop and come back on the same port with an empty queue and history."""
        port = self.server.port
        await self.stop()
        await asyncio.sleep(down_s)
        await self._start(port or 0)

    async def _close_sockets(self, _) -> None:
        for socket in list(self.sockets.values()):
            await socket.close(code=WSCloseCode.GOING_AWAY)

    # what other people do to the server

    def delete_by_other(self, prompt_id: str) -> None:
        self.pending = [item for item in self.pending if item[1] != prompt_id]

    def evict(self, prompt_id: str) -> None:
        self.history.pop(prompt_id, None)

    def orphan_sockets(self) -> None:
        """Leave the sockets open and forget them."""
        self.sockets.clear()

    async def cut_sockets(self) -> None:
        """Break the connections without a word."""
        for socket in list(self.sockets.values()):
            transport = socket._req.transport if socket._req else None
            if transport is not None:
                transport.abort()

    # the protocol

    @web.middleware
    async def _middleware(self, request, handler):
        self.requests.append((request.method, request.path, dict(request.headers)))
        await asyncio.sleep(self.faults.slow.get(request.path, 0))
        if self.faults.refuse in (True, request.path) and request.transport is not None:
            request.transport.abort()
            return web.Response()
        if self.faults.redirect:
            raise web.HTTPFound(self.faults.redirect)
        if self.faults.broken_json and request.path != "/ws":
            return web.Response(text="<html>hello</html>", content_type="text/html")
        answer = await handler(request)
        if self.after_read and request.method == "GET":
            await self.after_read()
        return answer

    async def _ws(self, request):
        if self.faults.refuse_sockets:
            raise web.HTTPServiceUnavailable
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        self.socket_count += 1
        sid = request.query.get("clientId") or uuid.uuid4().hex
        self.sockets[sid] = socket
        if not self.faults.mute:
            await self._send(sid, "status", self._status() | {"sid": sid})
        try:
            async for _ in socket:
                pass
        finally:
            self.sockets.pop(sid, None)  # the newer one too: this is the measured fault
        return socket

    def _status(self) -> dict:
        remaining = len(self.pending) + len(self.running)
        return {"status": {"exec_info": {"queue_remaining": remaining}}}

    async def _send(self, sid: str | None, kind: str, data: dict) -> None:
        socket = self.sockets.get(sid or "")
        if socket is not None and not self.faults.mute:
            with contextlib.suppress(ConnectionError):
                await socket.send_str(json.dumps({"type": kind, "data": data}))

    async def send_preview(
        self, sid: str, prompt_id: str, data: bytes, mime: str = "image/png"
    ) -> None:
        metadata = json.dumps({"prompt_id": prompt_id, "image_type": mime}).encode()
        head = struct.pack(">II", 4, len(metadata))
        await self.sockets[sid].send_bytes(head + metadata + data)

    async def _broadcast(self) -> None:
        for sid in list(self.sockets):
            await self._send(sid, "status", self._status())

    async def _post_prompt(self, request):
        faults = self.faults
        body = await request.json()
        if faults.drop_posts:
            faults.drop_posts -= 1
            request.transport.abort()
            return web.Response()
        self.posts.append(body)
        if faults.always_500:
            raise web.HTTPInternalServerError
        if self.check_pictures and not any(name[0] == "input" for name in self.files):
            error = {"message": "Custom validation failed", "details": "There is no picture"}
            return web.json_response({"node_errors": {"1": {"errors": [error]}}}, status=400)
        if faults.reject:
            return web.json_response(faults.reject, status=400)
        number, self.number = self.number, self.number + 1
        item = [number, body["prompt_id"], body["prompt"], body, [OUTPUT_NODE]]
        self.pending.append(item)
        self._wake.set()
        await self._broadcast()
        if faults.lose_answers:
            faults.lose_answers -= 1
            request.transport.abort()
        if faults.queue_then_500:
            faults.queue_then_500 -= 1
            raise web.HTTPInternalServerError
        answer = {"prompt_id": body["prompt_id"], "number": number}
        return web.json_response(answer | {"node_errors": faults.node_errors or {}})

    async def _get_prompt(self, _):
        return web.json_response(self._status()["status"])

    async def _get_queue(self, _):
        if self.faults.hide_queue:
            self.faults.hide_queue -= 1
            return web.json_response({"queue_running": [], "queue_pending": []})
        return web.json_response({"queue_running": self.running, "queue_pending": self.pending})

    async def _post_queue(self, request):
        for prompt_id in (await request.json()).get("delete", []):
            self.delete_by_other(prompt_id)
        await self._broadcast()
        return web.Response()

    async def _get_history(self, request):
        prompt_id = request.match_info["id"]
        record = self.history.get(prompt_id)
        if record and self.faults.hide_records:
            self.faults.hide_records -= 1
            record = None
        return web.json_response({prompt_id: record} if record else {})

    async def _get_newest(self, request):
        newest = list(self.history.items())[-int(request.query["max_items"]) :]
        return web.json_response(dict(newest))

    async def _post_history(self, request):
        body = await request.json()
        for prompt_id in body.get("delete", list(self.history) if body.get("clear") else []):
            self.history.pop(prompt_id, None)
        return web.Response()

    async def _post_interrupt(self, request):
        prompt_id = (await request.json()).get("prompt_id")
        self.interrupts.append(prompt_id)
        if self.faults.lose_interrupts:
            self.faults.lose_interrupts -= 1
        elif any(item[1] == prompt_id for item in self.running):
            self.interrupted = True
        return web.Response()

    async def _upload(self, request):
        name = subfolder = ""
        data = b""
        async for part in await request.multipart():  # post() leaves its file open when it is cut
            if part.name == "image":
                name, data = part.filename, bytes(await part.read())
            elif part.name == "subfolder":
                subfolder = await part.text()
        self.files["input", subfolder, name] = data
        return web.json_response({"name": name, "subfolder": subfolder, "type": "input"})

    async def _view(self, request):
        if self.faults.drop_views:
            self.faults.drop_views -= 1
            request.transport.abort()
        if self.faults.huge:
            return await self._begin_of(request, 1 << 40)
        query = request.query
        kind, subfolder, name = query["type"], query.get("subfolder", ""), query["filename"]
        await asyncio.sleep(self.faults.slow.get(name, 0))
        data = self.files.get((kind, subfolder, name))
        if data is None and kind == "input" and self.input_dir is not None:
            path = self.input_dir / subfolder / name
            data = path.read_bytes() if path.is_file() else None
        if data is None:
            raise web.HTTPNotFound
        if self.faults.cut_views and kind == "output" and name.endswith(".mp4"):
            self.faults.cut_views -= 1
            data = data[: len(data) // 2]
        return web.Response(body=data, content_type="application/octet-stream")

    async def _begin_of(self, request, length: int):
        """Begin a body of that length, and break off."""
        response = web.StreamResponse(headers={"Content-Length": str(length)})
        await response.prepare(request)
        await response.write(bytes(100))
        request.transport.abort()
        return response

    async def _object_info(self, _):
        return web.json_response(self.nodes)

    async def _features(self, _):
        return web.json_response({"max_upload_size": 1 << 20})

    async def _folders(self, _):
        return web.json_response(list(self.models))

    async def _models(self, request):
        if request.match_info["folder"] not in self.models:
            raise web.HTTPNotFound
        return web.json_response(self.models[request.match_info["folder"]])

    async def _stats(self, _):
        told = {"comfyui_version": self.version, "argv": self.argv, "os": self.system}
        return web.json_response({"system": told})

    # the worker thread

    async def _work(self) -> None:
        while True:
            while not self.pending:
                self._wake.clear()
                await self._wake.wait()
            item = self.pending.pop(0)
            self.running.append(item)
            self.interrupted = False  # as ComfyUI does: an earlier interrupt is forgotten
            await self._broadcast()
            record = await self._execute(item)
            self.running.remove(item)
            self.history[item[1]] = record
            await self._broadcast()
            data = {"node": None, "prompt_id": item[1]}
            await self._send(item[3].get("client_id"), "executing", data)

    async def _execute(self, item) -> dict:
        number, prompt_id, graph, body, _ = item
        sid = body.get("client_id")
        messages: list = []

        async def tell(kind: str, **data) -> None:
            if kind.startswith("execution"):
                messages.append([kind, {"prompt_id": prompt_id, **data}])
            await self._send(sid, kind, {"prompt_id": prompt_id, **data})

        await tell("execution_start")
        await tell("execution_cached", nodes=[])
        for node in graph:
            await tell("executing", node=node, display_node=node)
            await tell("progress", node=node, value=1, max=2)
        status = await self._outcome(graph, tell)
        told = status == "success" or self.faults.outputs  # what was made before the failure
        outputs = self._outputs(graph) if told else {}
        for node, output in outputs.items():
            await tell("executed", node=node, output=self.faults.executed or output)
        await asyncio.sleep(self.linger_s)
        if status == "success":
            self.completed[prompt_id] += 1
            await tell("execution_success")
        completed = status == "success"
        return {
            "prompt": [number, prompt_id, graph, {}, [OUTPUT_NODE]],
            "outputs": outputs,
            "status": {"status_str": status, "completed": completed, "messages": messages},
            "meta": {},
        }

    async def _outcome(self, graph, tell) -> str:
        if await self._interrupted() or self.faults.interrupted_by_other:
            await tell("execution_interrupted", node_id="2", node_type="KSampler", executed=[])
            return "error"
        if self.faults.error is not None:
            node = {"node_id": "2", "node_type": "KSampler", "executed": [], "traceback": ["x"]}
            await tell("execution_error", **(node | self.faults.error))
            return "error"
        return "success"

    async def _interrupted(self) -> bool:
        loop = asyncio.get_running_loop()
        end = loop.time() + self.run_s
        while loop.time() < end or not self.hold.is_set():
            if self.interrupted and not self.faults.deaf:
                return True
            await asyncio.sleep(0.005)
        return False

    def _outputs(self, graph) -> dict:
        if self.faults.outputs is not None:
            return self.faults.outputs
        (node,) = (k for k, v in graph.items() if v["class_type"] in ("SaveVideo", OWN[-1]))
        key = json.dumps(graph, sort_keys=True)
        if key not in self.cache:  # a cached rerun names the old files, there or not
            own = graph[node]["class_type"] == OWN[-1]
            movie, picture = self._file("mp4", video()), self._file("png", still())
            record = {"promptreel": [{"image": picture, "video": movie}]} if own else {}
            self.cache[key] = {"images": [movie], "animated": [True], **record}
        return {node: self.cache[key]}

    def _file(self, suffix: str, data: bytes) -> dict:
        name = f"x_{len(self.cache):05}_.{suffix}"
        self.files["output", "video", name] = data
        return {"filename": name, "subfolder": "video", "type": "output"}
