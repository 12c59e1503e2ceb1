"""POST /api/scene: how a text is understood, before anything is made of it."""

from __future__ import annotations

import asyncio

from aiohttp import web

from sidecar.errors import BadRequest
from sidecar.http.bodies import SceneBody
from sidecar.http.forms import read_fields, unknown_fields
from sidecar.keys import HEAVY
from sidecar.orders import MAX_TEXT

FIELDS = ("text", "negative", "language")
LANGUAGES = ("en", "ru")


async def scene(request: web.Request) -> web.Response:
    """Tell the camera, the look and the length that a text asks for."""
    with request.app[HEAVY].place(request.content_length if request.body_exists else 0):
        fields = await read_fields(request, FIELDS, FIELDS)
    unknown = [name for name in fields if name not in FIELDS]
    if unknown:
        raise unknown_fields(unknown, FIELDS)
    if "text" not in fields:
        raise BadRequest(
            "Missing or blank: text (what should happen in the video).",
            code="missing_field",
            fields={"text": "required"},
        )
    for name in ("text", "negative"):
        if len(fields.get(name, "")) > MAX_TEXT:
            raise BadRequest(
                f"{name} is too long: at most {MAX_TEXT} characters.", fields={name: "too long"}
            )
    language = fields.get("language", "")
    if language and language not in LANGUAGES:
        reason = f"must be one of {', '.join(LANGUAGES)}"
        raise BadRequest(f"language {reason}.", fields={"language": reason})
    body = await asyncio.to_thread(_read, fields["text"], fields.get("negative", ""), language)
    return web.json_response(body)


def _read(text: str, negative: str, language: str) -> SceneBody:
    from sidecar.studio.understood import understood  # noqa: PLC0415  loads the engine

    return understood(text, negative, language)
