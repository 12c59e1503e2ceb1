"""One web socket to one ComfyUI, shared by all jobs of this process.

It only wakes and shows progress; what is true is read from queue and history. Knows ComfyUI's
messages and binary frames (comfyui.md 4.2); must not know jobs. A socket can be open and silent
for ever: when a second connection took over its client id, ComfyUI's handler of the first one drops
the second on its way out. TCP can't show that, so an accepted prompt that was not followed by any
message makes us connect again, and we connect only after the old socket's close has completed.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import struct
from collections import deque
from collections.abc import Generator
from dataclasses import dataclass
from typing import Any, cast

import aiohttp

from sidecar.values import Json
from sidecar.waiting import happened

from .client import MAX_MESSAGE, ComfyClient

log = logging.getLogger(__name__)

PREVIEW_IMAGE, PREVIEW_WITH_METADATA = 1, 4
FEATURES: Json = {"type": "feature_flags", "data": {"supports_preview_metadata": True}}
BACKLOG = 256  # messages kept for a slow follower; older ones are only progress


@dataclass(frozen=True)
class Event:
    """A text message; `data` as ComfyUI sent it."""

    type: str
    data: Json

    @property
    def very_last(self) -> bool:
        """Whether the prompt is over and in the history."""
        return self.type == "executing" and self.data.get("node") is None

    @property
    def terminal(self) -> bool:
        """Whether the prompt is over, or about to be written into the history."""
        if self.type == "executing":
            return self.data.get("node") is None
        return self.type in ("execution_success", "execution_error", "execution_interrupted")


@dataclass(frozen=True)
class Preview:
    """A preview picture, encoded."""

    data: bytes
    content_type: str


Message = Event | Preview


def parse_binary(frame: bytes) -> tuple[Preview, str | None] | None:
    """Read a binary frame: the preview and its prompt id (None if it does not say)."""
    if len(frame) < 8:
        return None
    kind, second = struct.unpack(">II", frame[:8])
    if kind == PREVIEW_IMAGE:
        content_type = "image/png" if second == 2 else "image/jpeg"
        return Preview(frame[8:], content_type), None
    if kind == PREVIEW_WITH_METADATA and len(frame) >= 8 + second:
        with contextlib.suppress(ValueError):
            metadata = json.loads(frame[8 : 8 + second])
            content_type = str(metadata.get("image_type") or "image/jpeg")
            return Preview(frame[8 + second :], content_type), metadata.get("prompt_id")
    return None


class Subscription:
    """The messages about one prompt, in order; the oldest are dropped if nobody reads."""

    def __init__(self) -> None:
        self._queue: deque[Message] = deque(maxlen=BACKLOG)
        self._filled = asyncio.Event()

    def put(self, message: Message) -> None:
        """Hand a message over; never blocks."""
        self._queue.append(message)
        self._filled.set()

    def wake(self) -> None:
        """Let who waits look for itself: no more messages come for now."""
        self._filled.set()

    async def next(self, timeout_s: float) -> Message | None:
        """Wait for the next message; None after the time-out, or when woken without one."""
        if not self._queue:
            await happened(self._filled, timeout_s)
        message = self._queue.popleft() if self._queue else None
        if not self._queue:
            self._filled.clear()
        return message


class Events:
    """The socket's owner: connects when somebody listens, routes messages by prompt id.

    `epoch` goes up with each connection: the same epoch, still connected, proves that it is still
    the same ComfyUI process. `connected_at` is on the event loop's clock.
    """

    def __init__(
        self,
        client: ComfyClient,
        client_id: str,
        *,
        silence_s: float = 3.0,
        first_pause_s: float = 0.25,
        longest_pause_s: float = 5.0,
        heartbeat_s: float = 30.0,
    ) -> None:
        self.client_id = client_id
        self.epoch = 0
        self.connected_at: float | None = None
        self._client = client
        self._silence_s = silence_s
        self._pauses = (first_pause_s, longest_pause_s)
        self._heartbeat_s = heartbeat_s
        self._subscriptions: dict[str, Subscription] = {}
        self._wanted = asyncio.Event()
        self._ready = asyncio.Event()
        self._socket: aiohttp.ClientWebSocketResponse[bool] | None = None
        self._last_message_at = 0.0
        self._running_id: str | None = None
        self._over_id = ""
        self._task: asyncio.Task[None] | None = None
        self._checks: set[asyncio.TimerHandle] = set()
        self._dropping: asyncio.Task[None] | None = None

    @property
    def connected(self) -> bool:
        """Whether the socket is open (it may still be silent)."""
        return self.connected_at is not None

    @property
    def witness(self) -> str:
        """The prompt that this very connection last saw end, which the history holds now.

        Blank if there is none: then ComfyUI must be asked.
        """
        return self._over_id

    @contextlib.contextmanager
    def subscribe(self, prompt_id: str) -> Generator[Subscription, None, None]:
        """Receive the messages of one prompt; subscribe before posting it."""
        subscription = self._subscriptions[prompt_id] = Subscription()
        self._wanted.set()
        if self._task is None:
            self._task = asyncio.create_task(self._keep_connected(), name="comfy-events")
        try:
            yield subscription
        finally:
            if self._subscriptions.get(prompt_id) is subscription:
                del self._subscriptions[prompt_id]
            if not self._subscriptions:
                self._wanted.clear()

    async def ready(self, timeout_s: float) -> bool:
        """Wait until the socket is open; False if that takes too long (then polling does)."""
        return await happened(self._ready, timeout_s)

    def submitted(self, sent_at: float) -> None:
        """Say that a prompt sent at `sent_at` (loop time) was accepted: messages must follow."""
        loop = asyncio.get_running_loop()
        epoch = self.epoch

        def check() -> None:
            self._checks.discard(handle)
            heard = self._last_message_at >= sent_at
            if self._socket is not None and self.epoch == epoch and not heard:
                log.warning("ComfyUI's web socket is silent; connecting again")
                self._dropping = asyncio.create_task(self._drop(self._socket))

        handle = loop.call_later(self._silence_s, check)
        self._checks.add(handle)

    async def close(self) -> None:
        """Close the socket and stop."""
        for handle in self._checks:
            handle.cancel()
        self._checks.clear()
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    async def _drop(self, socket: aiohttp.ClientWebSocketResponse[bool]) -> None:
        await socket.close()

    async def _keep_connected(self) -> None:
        pause, longest = self._pauses
        while True:
            await self._wanted.wait()
            if await self._connect_once():
                pause = self._pauses[0]
            await asyncio.sleep(pause)
            pause = min(pause * 2, longest)

    async def _connect_once(self) -> bool:
        """Connect and read until the socket ends and its close is complete; True if it opened."""
        opened = False
        try:
            socket = await self._client.session.ws_connect(
                f"{self._client.url}/ws",
                params={"clientId": self.client_id},
                heartbeat=self._heartbeat_s,
                max_msg_size=MAX_MESSAGE,
            )
            try:
                opened = True
                await self._read(socket)
            finally:
                self._disconnected()
                await socket.close()
        except (aiohttp.ClientError, asyncio.TimeoutError, OSError) as error:
            log.debug("no web socket: %s", type(error).__name__)
        except Exception:  # an edge: a message nobody foresaw must not end the wake-ups for ever
            log.exception("the web socket's loop failed; connecting again")
        return opened

    async def _read(self, socket: aiohttp.ClientWebSocketResponse[bool]) -> None:
        self._socket = socket
        self.epoch += 1
        self.connected_at = asyncio.get_running_loop().time()
        await socket.send_json(FEATURES)
        self._ready.set()
        async for message in socket:
            self._last_message_at = asyncio.get_running_loop().time()
            if message.type is aiohttp.WSMsgType.TEXT:
                self._text(message.data)
            elif message.type is aiohttp.WSMsgType.BINARY:
                self._binary(message.data)

    def _disconnected(self) -> None:
        self._socket = None
        self._running_id = None
        self._over_id = ""
        self.connected_at = None
        self._ready.clear()
        for subscription in self._subscriptions.values():
            subscription.wake()

    def _text(self, text: str) -> None:
        with contextlib.suppress(ValueError):
            message: Any = json.loads(text)
            if isinstance(message, dict):
                self._route(cast("Json", message))

    def _route(self, message: Json) -> None:
        data = message.get("data")
        if not isinstance(data, dict):
            return
        event = Event(str(message.get("type")), cast("Json", data))
        prompt_id = event.data.get("prompt_id")
        if prompt_id is None:
            return
        self._running_id = None if event.terminal else str(prompt_id)
        if event.very_last:
            self._over_id = str(prompt_id)
        self._put(str(prompt_id), event)

    def _binary(self, frame: bytes) -> None:
        parsed = parse_binary(frame)
        if parsed is not None:
            preview, prompt_id = parsed
            self._put(prompt_id or self._running_id, preview)

    def _put(self, prompt_id: str | None, message: Message) -> None:
        subscription = self._subscriptions.get(prompt_id or "")
        if subscription is not None:
            subscription.put(message)
