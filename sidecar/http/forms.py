"""The body of a request to plain named texts, whatever form it came in.

Knows multipart, urlencoded and JSON bodies. Must not know which fields mean what: only that each
comes once and is text.
"""

from __future__ import annotations

import asyncio
import json
import zlib
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from typing import Any, cast
from urllib.parse import parse_qsl

from aiohttp import BodyPartReader, MultipartReader, StreamReader, web
from aiohttp.http_exceptions import HttpProcessingError

from sidecar.errors import BadRequest

from .visible import says_something

MULTIPART = "multipart/form-data"
Pairs = list[tuple[str, str]]
_MOST_FIELDS = 200  # of which a pipeline may declare most
_MOST_LINES = 5000  # of a multipart body, around what its parts hold: boundaries and their headers

# What aiohttp's readers raise for a body that is not what its content type says.
MALFORMED = (
    ValueError,
    AssertionError,
    LookupError,
    RuntimeError,
    TypeError,
    EOFError,
    zlib.error,
    web.RequestPayloadError,
    HttpProcessingError,
)


async def read_fields(
    request: web.Request, texts: Collection[str] = (), known: Collection[str] | None = None
) -> dict[str, str]:
    """Return the body's fields; blank ones, and those that are null in JSON, are left out.

    `texts`: the fields that can't be a number, true or false in JSON. `known`: those that may be
    blank; a typo must not be ignored there either. Raises BadRequest.
    """
    read = _READERS.get(request.content_type.lower())
    if read is None:
        raise wrong_type(_READERS)
    try:
        pairs = await read(request)
    except (*MALFORMED, RecursionError):
        raise malformed() from None
    fields = _once(pairs)
    strange = () if known is None else [name for name, _ in pairs if name not in known]
    if strange and not set(strange) & set(fields):  # what has a value is refused with more to say
        raise unknown_fields(strange, known or ())
    wrong = {name: "must be a text" for name in texts if isinstance(fields.get(name), _Scalar)}
    if wrong:
        raise BadRequest(f"The field {next(iter(wrong))!r} must be a text.", fields=wrong)
    return fields


def wrong_type(accepted: Iterable[str]) -> BadRequest:
    """Return the answer to a body of another content type."""
    return BadRequest(
        f"The body's content type must be {' or '.join(accepted)}.",
        code="invalid_content_type",
        details="In a browser, send a FormData and set no Content-Type header yourself.",
    )


def malformed(details: str = "It ends too early, or is not what it claims to be.") -> BadRequest:
    """Return the answer to a body that can't be read."""
    return BadRequest("The body can't be read.", code="malformed_body", details=details)


def unknown_fields(names: Iterable[str], accepted: Iterable[str]) -> BadRequest:
    """Return the answer to fields nobody reads: a typo must not be silently ignored."""
    listed = ", ".join(accepted)
    unknown = list(names)
    shown = ", ".join(repr(_short(name)) for name in unknown[:10])
    meant = f"the fields are {listed}" if listed else "there are none here"
    return BadRequest(
        f"Unknown field{'s' if len(unknown) > 1 else ''} {shown}: {meant}.",
        code="unknown_field",
        details=f"Accepted: {listed or 'none'}.",
        fields={_short(name): "unknown" for name in unknown[:10]},
    )


def multipart(request: web.Request) -> MultipartReader:
    """Return a reader of a multipart body, as the request's own but for the lines that it reads.

    Whatever comes before the first part is read line by line, which takes seconds for a megabyte
    of empty ones. Raises what is in MALFORMED, now or while it reads.
    """
    return MultipartReader(request.headers, cast("StreamReader", _FewLines(request.content)))


class _FewLines:
    """A stream of which only so many lines are read as such."""

    def __init__(self, content: StreamReader) -> None:
        self._content = content
        self._left = _MOST_LINES

    async def readline(self, **options: Any) -> bytes:  # noqa: ANN401  the stream's own
        """Return the next line. Raises ValueError."""
        self._left -= 1
        if self._left < 0:
            raise ValueError("too many lines")
        return await self._content.readline(**options)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401  the stream's own
        return getattr(self._content, name)


async def _multipart(request: web.Request) -> Pairs:
    reader = multipart(request)
    pairs: Pairs = []
    left = request.client_max_size
    while (part := await reader.next()) is not None:
        if not isinstance(part, BodyPartReader) or part.name is None:
            raise malformed("A part of it has no name.")
        if part.filename is not None:
            raise _is_file(part.name)
        if len(pairs) == _MOST_FIELDS:
            raise malformed("It has too many fields.")
        data = bytearray()
        while chunk := await part.read_chunk(64 * 1024):
            data += chunk
            if len(data) > left:
                raise web.HTTPRequestEntityTooLarge(request.client_max_size, len(data))
        left -= len(data)
        pairs.append((part.name, data.decode(part.get_charset("utf-8"))))
    return pairs


async def _text(request: web.Request) -> str:
    """Read the body. It is not kept with the request as aiohttp would: a video takes minutes."""
    data = bytearray()
    async for piece in request.content.iter_any():
        data += piece
        if len(data) > request.client_max_size:
            raise web.HTTPRequestEntityTooLarge(request.client_max_size, len(data))
    return data.decode(request.charset or "utf-8")


async def _urlencoded(request: web.Request) -> Pairs:
    text = await _text(request)

    def parse() -> Pairs:
        return parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=_MOST_FIELDS)

    return await asyncio.to_thread(parse)


async def _json(request: web.Request) -> Pairs:
    text = await _text(request)

    def parse() -> object:
        return json.loads(text, object_pairs_hook=_Pairs, parse_constant=_refuse_constant)

    pairs = await asyncio.to_thread(parse)
    if not isinstance(pairs, _Pairs):
        raise malformed("The JSON must be an object.")
    return [(name, "" if value is None else _as_text(name, value)) for name, value in pairs]


_READERS: Mapping[str, Callable[[web.Request], Awaitable[Pairs]]] = {
    MULTIPART: _multipart,
    "application/x-www-form-urlencoded": _urlencoded,
    "application/json": _json,
}


class _Pairs(list[tuple[str, Any]]):
    """A JSON object with repeated names still in it."""


class _Scalar(str):
    """A number, true or false of a JSON body, as text."""


def _refuse_constant(name: str) -> float:
    raise ValueError(name)  # NaN and the infinities are not JSON


def _is_file(name: str) -> BadRequest:
    return BadRequest(
        f"The field {_short(name)!r} must be text, not a file: send a file to /api/upload.",
        fields={_short(name): "must be text, not a file"},
    )


def _as_text(name: str, value: object) -> str:
    if isinstance(value, bool):
        return _Scalar("true" if value else "false")
    if isinstance(value, float) and value.is_integer():
        return _Scalar(int(value))  # 5.0 is the whole number 5, as JSON Schema has it too
    if isinstance(value, (int, float)):
        return _Scalar(value)
    if isinstance(value, str):
        return value
    reason = "must be a single value, not a list or an object"
    raise BadRequest(f"The field {_short(name)!r} {reason}.", fields={_short(name): reason})


def _once(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Refuse repeated names and broken Unicode; leave out what is blank."""
    listed = list(pairs)
    counts: Mapping[str, int] = Counter(name for name, _ in listed)
    wrong = {_short(name): "given more than once" for name, count in counts.items() if count > 1}
    wrong |= {_short(name): "not valid Unicode" for name, text in listed if not _is_unicode(text)}
    if wrong:
        name, reason = next(iter(wrong.items()))
        raise BadRequest(f"The field {name!r} is {reason}: send it once, as text.", fields=wrong)
    return {name: text for name, text in listed if says_something(text)}


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _short(name: str) -> str:
    """Return a name that is safe to repeat in an answer."""
    return name.encode("utf-8", "replace").decode()[:60]
