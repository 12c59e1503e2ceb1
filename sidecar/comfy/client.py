"""ComfyUI's HTTP API as typed calls. Knows routes and answers, nothing of jobs or pipelines.

No Origin header is ever sent (ComfyUI answers 403 to a foreign one), redirects are not followed
(the address was allowed, its redirect target was not), no cookies, no proxy from the environment.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, cast
from urllib.parse import quote, urlsplit, urlunsplit

import aiohttp

from sidecar.values import Json

from . import gently
from .errors import BadAnswer, NotFound, Rejected, TooLarge, UnknownOutcome, Unreachable
from .shapes import an_object

CHUNK = 1 << 16
LARGE = 1 << 18  # characters of JSON that are read off the event loop, in small steps
MAX_LISTING = 4 << 20  # bytes of a list of files
MAX_MESSAGE = 64 << 20  # preview frames are the largest web-socket messages


def normalize_url(url: str) -> str:
    """Return the base URL without a trailing slash; a path and https are kept.

    Raises ValueError with one sentence for anything that is not a plain http(s) base address.
    """
    parts = urlsplit(url.strip())
    try:
        port = parts.port
    except ValueError:
        raise ValueError("The ComfyUI address has a wrong port; use 1 to 65535.") from None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("The ComfyUI address must look like http://host:8188.")
    if parts.username is not None or parts.password is not None:
        raise ValueError("The ComfyUI address must not hold a user name or password.")
    if parts.query or parts.fragment:
        raise ValueError("The ComfyUI address must not have a query or fragment.")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    netloc = host if port is None else f"{host}:{port}"
    return urlunsplit((parts.scheme, netloc, parts.path.rstrip("/"), "", ""))


def new_session() -> aiohttp.ClientSession:
    """Make the session that all clients of one process share; call it inside the event loop."""
    return aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar(), trust_env=False)


@dataclass(frozen=True)
class FileRef:
    """A file as ComfyUI names it; `type` is "output", "temp" or "input".

    It is the same file however a Windows server and a node spell its subfolder (a\\b, a/b).
    """

    filename: str
    subfolder: str = field(default="", compare=False)
    type: str = "output"
    _place: str = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_place", self.subfolder.replace("\\", "/").strip("/"))

    @property
    def annotated(self) -> str:
        """The widget value that means this input file."""
        return f"{self.subfolder}/{self.filename}" if self.subfolder else self.filename

    def query(self) -> dict[str, str]:
        """Return the query of `/view`."""
        return {"filename": self.filename, "subfolder": self.subfolder, "type": self.type}


@dataclass(frozen=True)
class QueueItem:
    """One entry of `/queue`; `number` is its priority, lower runs first."""

    prompt_id: str
    number: float
    running: bool
    sent_at: float | None = None  # seconds since the epoch, by its own clock; newer versions tell


def queue_items(answer: Json) -> tuple[QueueItem, ...]:
    """Read the answer of `/queue`: running first, then pending in the order of execution."""
    running = [_queue_item(row, running=True) for row in answer.get("queue_running", [])]
    pending = [_queue_item(row, running=False) for row in answer.get("queue_pending", [])]
    return (*running, *sorted(pending, key=lambda item: item.number))


def _queue_item(row: list[Any], *, running: bool) -> QueueItem:
    extra = an_object(row[3]) if len(row) > 3 else {}
    return QueueItem(str(row[1]), row[0], running, sent_at(extra))


def sent_at(extra_data: Json) -> float | None:
    """Return when a prompt was sent, by its extra data (0.3.69 and newer); None if unknown."""
    milliseconds = extra_data.get("create_time")
    return milliseconds / 1000 if isinstance(milliseconds, (int, float)) else None


@dataclass(frozen=True)
class UserFile:
    """A file in the folder of ComfyUI's user; `path` from there on, `modified` as it tells it."""

    path: str
    size: int
    modified: float


def _user_file(row: Json) -> UserFile:
    size, modified = row.get("size"), row.get("modified")
    return UserFile(
        str(row.get("path", "")).replace("\\", "/"),
        size if isinstance(size, int) else 0,
        float(modified) if isinstance(modified, (int, float)) else 0.0,
    )


class ComfyClient:
    """One ComfyUI server. Reads raise Unreachable, BadAnswer or NotFound."""

    def __init__(
        self,
        url: str,
        session: aiohttp.ClientSession,
        *,
        connect_s: float = 5.0,
        answer_s: float = 30.0,
    ) -> None:
        self.url = normalize_url(url)
        self.session = session
        self.answer_s = answer_s
        self._timeout = aiohttp.ClientTimeout(
            total=None, sock_connect=connect_s, sock_read=answer_s
        )

    async def system_stats(self) -> Json:
        """Return version, argv and devices."""
        return await self._get_object("/system_stats")

    async def features(self) -> Json:
        """Return the server's feature flags."""
        return await self._get_object("/features")

    async def object_info(self) -> Json:
        """Return every node class with its inputs: megabytes."""
        return await self._get_object("/object_info")

    async def node_names(self) -> frozenset[str]:
        """Return the names of the node classes alone: nothing else of the megabytes is kept."""
        text = await self._get_text("/object_info")
        return await asyncio.to_thread(_node_names, text)

    async def model_folders(self) -> tuple[str, ...]:
        """Return the names of the model folders."""
        return _names(await self._get("/models"))

    async def models(self, folder: str) -> tuple[str, ...]:
        """Return the files of one model folder; none if there is no such folder."""
        try:
            return _names(await self._get("/models/" + quote(folder, safe="")))
        except NotFound:
            return ()

    async def queue(self) -> tuple[QueueItem, ...]:
        """Return what runs and what waits, in the order of execution."""
        try:
            return queue_items(await self._get_object("/queue"))
        except (IndexError, KeyError, TypeError):
            raise BadAnswer("The server's queue is not one of a ComfyUI.") from None

    async def queue_remaining(self) -> int:
        """Return how many prompts run or wait (cheaper than the queue itself)."""
        answer = await self._get_object("/prompt")
        return int(answer.get("exec_info", {}).get("queue_remaining", 0))

    async def history(self, prompt_id: str) -> Json | None:
        """Return the finished prompt's record, or None."""
        answer = await self._get_object("/history/" + quote(prompt_id, safe=""))
        return answer.get(prompt_id)

    async def newest(self, count: int = 1) -> Json:
        """Return the newest records of the history by their ids; each holds its graph."""
        return await self._get_object(f"/history?max_items={count}")

    async def submit(
        self, graph: Mapping[str, Json], *, prompt_id: str, client_id: str, extra_data: Json
    ) -> Json:
        """Post a prompt and return the answer.

        Raises Unreachable if it certainly was not posted, UnknownOutcome if it may have been
        (a 500 may still be queued), Rejected if refused; with partial `node_errors` the caller
        must delete the accepted rest (comfyui.md 4.1).
        """
        body: Json = {"prompt": dict(graph), "prompt_id": prompt_id, "client_id": client_id}
        if extra_data:
            body["extra_data"] = extra_data
        async with self._request("POST", "/prompt", lost=UnknownOutcome, json=body) as response:
            text = await response.text()
            status = response.status
        answer = _loads_object(text) if status < 500 and status != 413 else {}
        if status >= 500:
            raise UnknownOutcome("ComfyUI failed while it took the graph.")
        if status == 413:
            raise TooLarge("ComfyUI does not take a graph that large (--max-upload-size).")
        if status != 200 or answer.get("node_errors"):
            raise _rejected(answer)
        if "prompt_id" not in answer:
            raise BadAnswer("The server took the graph but gave no prompt id.")
        return answer

    async def interrupt(self, prompt_id: str) -> None:
        """Ask the running prompt to stop; nothing happens if it does not run."""
        await self._post("/interrupt", {"prompt_id": prompt_id})

    async def delete(self, prompt_id: str) -> None:
        """Take a waiting prompt out of the queue; nothing happens if it does not wait."""
        await self._post("/queue", {"delete": [prompt_id]})

    async def delete_history(self, prompt_id: str) -> None:
        """Forget a finished prompt."""
        await self._post("/history", {"delete": [prompt_id]})

    async def upload_image(self, data: bytes, *, name: str, subfolder: str = "") -> FileRef:
        """Upload into the input folder; the answered name is the one to use."""
        form = aiohttp.FormData()
        form.add_field("image", data, filename=name, content_type="application/octet-stream")
        form.add_field("subfolder", subfolder)
        form.add_field("type", "input")
        form.add_field("overwrite", "true")  # exactly "true": the name holds the content's hash
        async with self._request("POST", "/upload/image", data=form) as response:
            if response.status == 413:
                raise TooLarge("ComfyUI does not take a picture that large (--max-upload-size).")
            answer = await self._object(response)
        return FileRef(str(answer["name"]), str(answer.get("subfolder", "")), "input")

    async def size(self, ref: FileRef) -> int | None:
        """Return a file's size in bytes; None if it is not there."""
        async with self._request("HEAD", "/view", params=ref.query()) as response:
            return response.content_length if response.status == 200 else None

    async def view(self, ref: FileRef, *, limit: int) -> AsyncIterator[bytes]:
        """Stream a file. Raises NotFound, TooLarge (also in the middle), Unreachable."""
        async with self._request("GET", "/view", params=ref.query()) as response:
            self._check(response)
            seen = 0
            async for chunk in response.content.iter_chunked(CHUNK):
                seen += len(chunk)
                if seen > limit or (response.content_length or 0) > limit:
                    raise TooLarge(f"A file made by ComfyUI is larger than {limit} bytes.")
                yield chunk

    async def user_files(self, folder: str) -> list[UserFile]:
        """Return the files below a folder of the user "default". Raises NotFound without one.

        Nothing is made there by asking, unlike by the older /userdata.
        """
        query = {"path": folder}
        async with self._request("GET", "/v2/userdata", params=query) as response:
            self._check(response)
            answer = _loads((await self._bounded(response, MAX_LISTING)).decode("utf-8", "replace"))
        rows = map(an_object, cast("list[object]", answer) if isinstance(answer, list) else [])
        return [_user_file(row) for row in rows if row.get("type") == "file"]

    async def user_file(self, path: str, limit: int) -> bytes:
        """Return a file of the user "default". Raises NotFound, TooLarge, Unreachable."""
        async with self._request("GET", "/userdata/" + quote(path, safe="")) as response:
            self._check(response)
            return await self._bounded(response, limit)

    async def _bounded(self, response: aiohttp.ClientResponse, limit: int) -> bytes:
        data = bytearray()
        async for chunk in response.content.iter_chunked(CHUNK):
            data += chunk
            if len(data) > limit:
                raise TooLarge(f"An answer of ComfyUI is larger than {limit} bytes.")
        return bytes(data)

    async def _get_object(self, path: str) -> Json:
        answer = await self._get(path)
        if not isinstance(answer, dict):
            raise BadAnswer("The server's answer is not one of a ComfyUI.")
        return cast("Json", answer)

    async def _get(self, path: str) -> object:
        text = await self._get_text(path)
        return await asyncio.to_thread(_loads_large, text) if len(text) > LARGE else _loads(text)

    async def _get_text(self, path: str) -> str:
        async with self._request("GET", path) as response:
            self._check(response)
            return await response.text()

    async def _post(self, path: str, body: Json) -> None:
        async with self._request("POST", path, json=body) as response:
            self._check(response)

    async def _object(self, response: aiohttp.ClientResponse) -> Json:
        self._check(response)
        return _loads_object(await response.text())

    def _check(self, response: aiohttp.ClientResponse) -> None:
        if response.status == 404:
            raise NotFound("ComfyUI has no such file or route.")
        if response.status in (502, 503, 504):  # said by a proxy in front of it
            raise Unreachable(f"ComfyUI at {self.url} is not ready.")
        if response.status not in (200, 206):
            raise BadAnswer(f"ComfyUI answered with status {response.status}.")

    @asynccontextmanager
    async def _request(
        self,
        method: str,
        path: str,
        *,
        lost: type[Unreachable] | type[UnknownOutcome] = Unreachable,
        **options: Any,  # noqa: ANN401  aiohttp's own, passed on
    ) -> AsyncGenerator[aiohttp.ClientResponse, None]:
        """Send; a connection that was never made is Unreachable, one that broke is `lost`."""
        try:
            async with self.session.request(
                method,
                self.url + path,
                timeout=self._timeout,
                allow_redirects=False,
                **options,
            ) as response:
                yield response
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            refused = isinstance(getattr(error, "os_error", None), ConnectionRefusedError)
            raise Unreachable(f"ComfyUI can't be reached at {self.url}.", refused=refused) from None
        except (aiohttp.ClientError, asyncio.TimeoutError, ConnectionError):
            raise lost(f"ComfyUI at {self.url} did not answer to the end.") from None


def _names(answer: object) -> tuple[str, ...]:
    if not isinstance(answer, list):
        raise BadAnswer("The server's list of models is not one of a ComfyUI.")
    return tuple(str(name) for name in cast("list[object]", answer))


def _loads(text: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise _no_json() from None


def _loads_large(text: str) -> object:
    try:
        return gently.loads(text)
    except (ValueError, RecursionError):
        raise _no_json() from None


def _node_names(text: str) -> frozenset[str]:
    try:
        return frozenset(gently.names(text))
    except (ValueError, RecursionError):
        raise _no_json() from None


def _no_json() -> BadAnswer:
    return BadAnswer("The server's answer is not JSON: this is no ComfyUI.")


def _loads_object(text: str) -> Json:
    answer = _loads(text)
    if not isinstance(answer, dict):
        raise BadAnswer("The server's answer is not one of a ComfyUI.")
    return cast("Json", answer)


def _rejected(answer: Json) -> Rejected:
    error = answer.get("error")
    if isinstance(error, dict):
        typed = cast("Json", error)
    else:
        typed = {"type": "rejected", "message": str(error or "")}
    node_errors = cast("Json", answer.get("node_errors") or {})
    return Rejected("ComfyUI refuses the graph.", error=typed, node_errors=node_errors)
