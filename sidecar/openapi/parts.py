"""Parameters, headers, bodies and links that operations name, with the limits that code checks.

Must not know the operations.
"""

from __future__ import annotations

from collections.abc import Mapping

from sidecar.api.jobs import DEFAULT, MOST
from sidecar.api.scene import LANGUAGES
from sidecar.fingerprint import HEADER
from sidecar.http.prefer import LONGEST_WAIT
from sidecar.http.visible import VISIBLE
from sidecar.orders import MAX_TEXT
from sidecar.settings import Settings
from sidecar.values import JobState, Json

from .fields import nullable

_STATE = "|".join(state.value for state in JobState)
_ID = "^[0-9a-f]{32}$"  # uuid4().hex

_TEXT: Json = {"type": "string"}
_PATH: Mapping[str, tuple[Json, str]] = {
    "id": ({"type": "string", "pattern": _ID}, "The jobId of an answer."),
    "name": (
        {"type": "string", "pattern": r"^[a-z0-9-]{1,150}\.[a-z0-9]{1,8}$"},
        "As answers name it.",
    ),
    "asset": ({"type": "string", "pattern": r"^[a-z-]+\.(js|css|svg)$"}, "As the page names it."),
}
_QUERY: Mapping[str, tuple[Json, str]] = {
    "serverUrl": (_TEXT, "The ComfyUI to ask; without it the service's own."),
    "status": (
        {"type": "string", "pattern": rf"^(|({_STATE})(,({_STATE}))*)$"},
        "States, with commas; without it all.",
    ),
    "limit": (
        {
            "type": ["integer", "string"],
            "minimum": 1,
            "maximum": MOST,
            "maxLength": 0,
            "default": DEFAULT,
        },
        "How many at most.",
    ),
    "cursor": (_TEXT, "The nextCursor of an earlier answer."),
}
_HEADER: Mapping[str, tuple[Json, str]] = {
    "Prefer": (
        _TEXT,
        f"`respond-async`: answer at once with the job; `wait=N`: after N s (to {LONGEST_WAIT}).",
    ),
    HEADER: (
        {"type": "string", "pattern": "^[!-~]([ -~]{0,253}[!-~])?$"},
        "The same key and request give the same job, however often they are sent.",
    ),
    "Range": (_TEXT, "`bytes=0-1023`: a part of the file."),
    "If-None-Match": (_TEXT, "The ETag that the client has."),
    "Last-Event-ID": (_TEXT, "The last event that was heard; what follows it is told."),
}
_ANSWER_HEADERS: Mapping[str, str] = {
    "Location": "The job's address.",
    "Preference-Applied": "What of Prefer was done.",
    "Idempotency-Replayed": "`true` where the job was there already.",
    "Retry-After": "Seconds after which to try again.",
    "WWW-Authenticate": "Bearer.",
    "Accept-Ranges": "bytes.",
    "ETag": "What the bytes are named by.",
    "Last-Modified": "When the file was stored.",
    "Content-Range": "Which bytes, of how many.",
}
_JOB, _VIDEO = "$response.body#/id", "$response.body#/jobId"
_LINKS: Mapping[str, tuple[str, str, Json]] = {
    "generate": ("generate", "Makes a video of the picture.", {"requestBody": {
        "imageUrl": "$response.body#/imageUrl", "text": "slow push in, sunset"}}),
    "job": ("job", "Shows the job.", {"parameters": {"id": _JOB}}),
    "events": ("jobEvents", "Follows the job.", {"parameters": {"id": _JOB}}),
    "cancel": ("cancelJob", "Stops the job.", {"parameters": {"id": _JOB}}),
    "jobOfVideo": ("job", "Shows the job.", {"parameters": {"id": _VIDEO}}),
    "eventsOfVideo": ("jobEvents", "Tells the job's end.", {"parameters": {"id": _VIDEO}}),
    "cancelOfVideo": ("cancelJob", "Changes nothing.", {"parameters": {"id": _VIDEO}}),
    "firstJob": ("job", "Shows the newest.", {"parameters": {"id": "$response.body#/jobs/0/id"}}),
    "olderJobs": ("jobs", "Goes on.", {"parameters": {"cursor": "$response.body#/nextCursor"}}),
}  # fmt: skip


def parameter(name: str) -> Json:
    """Return a parameter."""
    for place, rows in (("path", _PATH), ("query", _QUERY), ("header", _HEADER)):
        if name in rows:
            schema, said = rows[name]
            return {
                "name": name,
                "in": place,
                "required": place == "path",
                "description": said,
                "schema": schema,
            }
    raise KeyError(name)


def header(name: str) -> Json:
    """Return a header of an answer."""
    kind = "integer" if name == "Retry-After" else "string"
    return {"description": _ANSWER_HEADERS[name], "schema": {"type": kind}}


def link(name: str) -> Json:
    """Return where to go from an answer."""
    operation, said, more = _LINKS[name]
    return {"operationId": operation, "description": said, **more}


def upload_schema(settings: Settings) -> Json:
    """Return the form of /api/upload."""
    most = f"{settings.max_upload_bytes / 1024 / 1024:g} MB"
    return {
        "type": "object",
        "required": ["image"],
        "properties": {
            "image": {
                "type": "string",
                "format": "binary",
                "description": f"The picture's file, {most} at most.",
            }
        },
        "additionalProperties": False,
    }


def scene_schema() -> Json:
    """Return the form of /api/scene."""
    text: Json = {"type": "string", "maxLength": MAX_TEXT}
    said = "What should happen in the video."
    return {
        "type": "object",
        "required": ["text"],
        "properties": {
            "text": {**text, "minLength": 1, "pattern": VISIBLE, "description": said},
            "negative": nullable({**text, "description": "What must not be in the video."}),
            "language": nullable(
                {
                    "type": "string",
                    "enum": list(LANGUAGES),
                    "description": "Of the sentence; without it the text's own.",
                }
            ),
        },
        "additionalProperties": False,
    }
