"""Plays a graph on the real ComfyUI, as an editor would, and keeps all that it said.

Knows /prompt, /ws and /history; must not know what the graph does.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from tests.e2e.comfyui_server import ComfyUI

Graph = dict[str, dict[str, Any]]
SECONDS = 150


@dataclass
class Play:
    """What became of one prompt."""

    prompt_id: str
    status: str = ""
    outputs: dict[str, Any] = field(default_factory=dict)
    messages: list[dict[str, Any]] = field(default_factory=list)
    previews: list[bytes] = field(default_factory=list)

    def kinds(self) -> list[str]:
        """The types of the web socket's messages, in order."""
        return [message["type"] for message in self.messages]

    def data(self, kind: str) -> list[dict[str, Any]]:
        """The contents of all messages of a type."""
        return [message["data"] for message in self.messages if message["type"] == kind]

    @property
    def error(self) -> str:
        """The sentence of the node that failed, or nothing."""
        return "".join(data["exception_message"].strip() for data in self.data("execution_error"))


class Refused(Exception):
    """ComfyUI did not take the prompt; holds its answer."""

    def __init__(self, answer: dict[str, Any]) -> None:
        super().__init__(str(answer))
        self.answer = answer

    @property
    def details(self) -> list[str]:
        """What is wrong with the inputs."""
        nodes = self.answer["node_errors"].values()
        return [error["details"] for node in nodes for error in node["errors"]]


async def play(
    comfyui: ComfyUI,
    graph: Graph,
    *,
    workflow: dict[str, Any] | None = None,
    on_message: Callable[[dict[str, Any]], Any] | None = None,
) -> Play:
    """Run a graph to its end. `on_message` may return an awaitable. Raises Refused."""
    done, client = Play(str(uuid.uuid4())), uuid.uuid4().hex
    body: dict[str, Any] = {"prompt": graph, "prompt_id": done.prompt_id, "client_id": client}
    if workflow is not None:
        body["extra_data"] = {"extra_pnginfo": {"workflow": workflow}}
    async with (
        aiohttp.ClientSession(comfyui.url) as session,
        session.ws_connect("/ws", params={"clientId": client}, max_msg_size=0) as socket,
    ):
        async with session.post("/prompt", json=body) as answer:
            told = await answer.json()
            if answer.status != 200 or told["node_errors"]:
                raise Refused(told)
        await asyncio.wait_for(_follow(socket, done, on_message), SECONDS)
        async with session.get(f"/history/{done.prompt_id}") as answer:
            entry = (await answer.json())[done.prompt_id]
        done.status, done.outputs = entry["status"]["status_str"], entry["outputs"]
    return done


async def _follow(
    socket: aiohttp.ClientWebSocketResponse[bool],
    done: Play,
    on_message: Callable[[dict[str, Any]], Any] | None,
) -> None:
    async for message in socket:
        if message.type is aiohttp.WSMsgType.BINARY:
            done.previews.append(message.data)
            continue
        said = message.json()
        done.messages.append(said)
        told = on_message(said) if on_message else None
        if told is not None:
            await told
        data = said["data"]
        ended = said["type"] == "executing" and data["node"] is None
        if ended and data.get("prompt_id") == done.prompt_id:
            return
    raise AssertionError("ComfyUI closed the web socket before the prompt was done.")


async def interrupt(comfyui: ComfyUI, prompt_id: str) -> None:
    """Press Cancel."""
    async with (
        aiohttp.ClientSession(comfyui.url) as session,
        session.post("/interrupt", json={"prompt_id": prompt_id}) as answer,
    ):
        assert answer.status == 200
