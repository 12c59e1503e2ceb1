"""Writes the OpenAPI document: operations, and the schemas that they name.

Slow to import and to run: in a thread, when it is asked for. Must not know requests.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from http import HTTPStatus

from sidecar.error_codes import CODES
from sidecar.pipelines import Pipeline
from sidecar.settings import Settings
from sidecar.values import Json

from . import parts, samples
from .fields import GENERATE, request_schemas
from .operations import FORMS, JSON, OPERATIONS, TAGS, Answer, Codes, Operation
from .schemas import REF, answers

_ABOUT = """\
Two calls: `POST /api/upload` gives the picture's address, `POST /api/generate` the video's.

Failures are JSON: `error` (one sentence that says what to do), `details`, and `code`, which never
changes. Of any address: a method that it does not understand is 405 (`method_not_allowed`), and an
`Expect` header other than `100-continue` 417 (`invalid_request`). An unknown address is 404
(`not_found`).
"""
_HEADERS_OF = {401: ("WWW-Authenticate",), 429: ("Retry-After",)}
_ROWS = {row.code: row for row in CODES}


def document(settings: Settings, pipelines: Mapping[str, Pipeline], version: str) -> Json:
    """Return the document; who sends it adds `servers` and `security`."""
    base = "http://127.0.0.1:8190"
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "PromptReel",
            "version": version,
            "summary": "A picture and a sentence become a video.",
            "description": _ABOUT,
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "tags": [{"name": name, "description": said} for name, said in TAGS.items()],
        "paths": _paths(samples.shapes(base)),
        "webhooks": {"jobEnded": {"post": _webhook(base)}},
        "components": {
            "securitySchemes": {
                "key": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "An API key, where the operator has set one.",
                }
            },
            "schemas": {
                **answers(),
                **request_schemas(pipelines),
                "Upload": parts.upload_schema(settings),
                "SceneRequest": parts.scene_schema(),
                "Document": {"type": "object", "required": ["openapi", "info", "paths"]},
            },
        },
    }


def _paths(shapes: Mapping[str, object]) -> Json:
    paths: Json = {}
    for operation in OPERATIONS:
        paths.setdefault(operation.path, {})[operation.method] = _operation(operation, shapes)
    return paths


def _operation(operation: Operation, shapes: Mapping[str, object]) -> Json:
    written: Json = {
        "operationId": operation.id,
        "tags": [operation.tag],
        "summary": operation.summary,
        "description": operation.description,
        "parameters": [parts.parameter(name) for name in operation.parameters],
        "responses": {
            **{str(answer.status): _answer(answer, shapes) for answer in operation.answers},
            **_failures(operation.all_codes, silent=operation.method == "head"),
        },
    }
    if operation.body:
        written["requestBody"] = {"required": True, "content": _BODIES[operation.body]()}
    if operation.is_open:
        written["security"] = []
    if operation.id == "jobEvents":
        written["x-sse-events"] = _EVENTS
    return written


def _answer(answer: Answer, shapes: Mapping[str, object]) -> Json:
    media: Json = {"schema": {"$ref": REF + answer.schema}} if answer.schema else {}
    if answer.schema in shapes:
        media["example"] = shapes[answer.schema]
    return {
        "description": answer.description,
        **_filled("content", {kind: media if kind == JSON else {} for kind in answer.types}),
        **_filled("headers", {name: parts.header(name) for name in answer.headers}),
        **_filled("links", {name: parts.link(name) for name in answer.links}),
    }


def _failures(codes: Codes, *, silent: bool) -> Json:
    """Return the answers that are no yes; `silent`: without a body."""
    return {
        str(status): {
            "description": f"{HTTPStatus(status).phrase}: {', '.join(f'`{c}`' for c in listed)}.",
            **_filled(
                "headers", {name: parts.header(name) for name in _HEADERS_OF.get(status, ())}
            ),
            **({} if silent else {"content": {JSON: _failure(listed)}}),
        }
        for status, listed in codes.items()
    }


def _failure(codes: Iterable[str]) -> Json:
    listed = [*codes]
    narrowed = {"properties": {"code": {"enum": listed}}}
    return {
        "schema": {"allOf": [{"$ref": f"{REF}ErrorBody"}, narrowed]},
        "examples": {code: {"value": samples.error(_ROWS[code])} for code in listed},
    }


def _upload_body() -> Json:
    kinds = "image/jpeg, image/png, image/gif, image/webp, image/bmp, image/tiff"
    media = {"schema": {"$ref": f"{REF}Upload"}, "encoding": {"image": {"contentType": kinds}}}
    return {"multipart/form-data": media}


def _generate_body() -> Json:
    examples = {name: {"value": value} for name, value in samples.requests().items()}
    return {kind: {"schema": {"$ref": REF + GENERATE}, "examples": examples} for kind in FORMS}


def _scene_body() -> Json:
    example = {"text": "slow push in, sunset, 5 seconds"}
    media: Json = {"schema": {"$ref": f"{REF}SceneRequest"}, "example": example}
    return dict.fromkeys(FORMS, media)


def _webhook(base: str) -> Json:
    signed = {
        "webhook-id": "The same at each attempt.",
        "webhook-timestamp": "Seconds since 1970.",
        "webhook-signature": "Verify it by a library of Standard Webhooks and the secret.",
    }
    return {
        "operationId": "jobEnded",
        "summary": "A job is over",
        "description": "Sent to webhookUrl. What is not answered with a 2xx is sent again for "
        "three days, over restarts too; 410 ends it.",
        "parameters": [
            {"name": name, "in": "header", "required": True, "description": said,
             "schema": {"type": "string"}}
            for name, said in signed.items()
        ],
        "requestBody": {
            "content": {
                JSON: {"schema": {"$ref": f"{REF}WebhookBody"}, "example": samples.told(base)}
            }
        },
        "responses": {"2XX": {"description": "Heard."}, "410": {"description": "No more, please."}},
    }  # fmt: skip


def _filled(name: str, value: Json) -> Json:
    return {name: value} if value else {}


_BODIES = {"upload": _upload_body, "generate": _generate_body, "scene": _scene_body}
_EVENTS: Json = {
    "status": {"$ref": f"{REF}JobBody"},
    "progress": {"$ref": f"{REF}ProgressBody"},
    "preview": {"$ref": f"{REF}PreviewBody"},
    "result": {"$ref": f"{REF}JobBody"},
}
