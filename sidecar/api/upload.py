"""POST /api/upload: exactly one picture in, its URL out."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack

from aiohttp import BodyPartReader, MultipartReader, web

from sidecar.errors import BadRequest
from sidecar.http.answers import file_url
from sidecar.http.bodies import Uploaded
from sidecar.http.forms import (
    MALFORMED,
    MULTIPART,
    malformed,
    multipart,
    unknown_fields,
    wrong_type,
)
from sidecar.keys import CLOSING, DRAINING, PICTURES
from sidecar.pictures import Pictures

from .generate import closing
from .urls import base_url, naming

FIELD = "image"
_ENVELOPE = 64 * 1024  # bytes that boundaries and headers may add


async def upload(request: web.Request) -> web.Response:
    """Keep the picture and tell its URL. Raises BadRequest."""
    if request.app[DRAINING].is_set() or request.app[CLOSING].is_set():
        raise closing()
    if request.content_type.lower() != MULTIPART:
        raise wrong_type([MULTIPART])
    pictures = request.app[PICTURES]
    if (request.content_length or 0) > pictures.max_bytes + _ENVELOPE:
        raise pictures.too_large(FIELD)
    try:
        key = await _only_picture(multipart(request), pictures, naming(request))
    except MALFORMED:
        raise malformed() from None
    body: Uploaded = {"imageUrl": file_url(base_url(request), key)}
    return web.json_response(body)


async def _only_picture(
    reader: MultipartReader, pictures: Pictures, name: Callable[[str], str]
) -> str:
    """Return the key of the form's one picture; it is stored when the whole form is right."""
    store: Callable[[], Awaitable[str]] | None = None
    async with AsyncExitStack() as held:
        while (part := await reader.next()) is not None:
            if not isinstance(part, BodyPartReader) or part.name != FIELD:
                raise unknown_fields([_name(part)], [FIELD])
            if store is not None:
                raise BadRequest(
                    "Send one picture at a time: the field 'image' came more than once.",
                    fields={FIELD: "given more than once"},
                )
            store = await held.enter_async_context(pictures.received(_chunks(part), FIELD, name))
        if store is None:
            raise BadRequest(
                "The picture is missing: send it in the form field 'image'.",
                code="missing_field",
                fields={FIELD: "required"},
            )
        return await store()


def _name(part: object) -> str:
    return (part.name if isinstance(part, BodyPartReader) else None) or ""


async def _chunks(part: BodyPartReader) -> AsyncIterator[bytes]:
    while chunk := await part.read_chunk(64 * 1024):
        yield chunk
