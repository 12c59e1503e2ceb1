"""What each route is for, takes and answers: one row a route. A test compares them with ROUTES.

Names schemas, headers and codes; must not know how a document is written.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sidecar.error_codes import CODES

JSON = "application/json"
FORMS = ("multipart/form-data", "application/x-www-form-urlencoded", JSON)
Codes = Mapping[int, tuple[str, ...]]


@dataclass(frozen=True)
class Answer:
    """A yes. `schema`: the name of an answer's shape, or "" where `types` are no JSON of ours."""

    status: int
    description: str
    schema: str = ""
    types: tuple[str, ...] = (JSON,)
    headers: tuple[str, ...] = ()
    links: tuple[str, ...] = ()


@dataclass(frozen=True)
class Operation:
    """One method of one address. `parameters`, `body`, headers and links: names of `parts`."""

    method: str
    path: str
    id: str
    tag: str
    summary: str
    description: str
    answers: tuple[Answer, ...]
    codes: Codes = field(default_factory=dict[int, tuple[str, ...]])
    parameters: tuple[str, ...] = ()
    body: str = ""
    is_open: bool = False  # needs no key

    @property
    def all_codes(self) -> Codes:
        """Every error code that it may answer with, by status; those of every route included."""
        every = _EVERY if self.is_open else _KEYED
        found = {status: [*codes] for status, codes in every.items()}
        for status, codes in self.codes.items():
            listed = found.setdefault(status, [])
            listed += [code for code in codes if code not in listed]
        return {status: tuple(found[status]) for status in sorted(found)}


def _job_codes(status: int) -> tuple[str, ...]:
    return tuple(row.code for row in CODES if row.job and row.statuses[0] == status)


_EVERY: Codes = {
    400: ("invalid_request",),
    403: ("host_not_allowed", "origin_not_allowed"),
    500: ("internal_error", "disk_full", "storage_failed"),
    503: ("too_many_connections",),
}
_KEYED: Codes = {
    **_EVERY,
    401: ("unauthorized",),
    429: ("rate_limited",),
    503: ("too_many_connections", "keys_unreadable"),
}
_FIELD_CODES = (
    "missing_field",
    "unknown_field",
    "malformed_body",
    "invalid_content_type",
    "body_too_slow",
)
_PICTURE_CODES = ("file_too_large", "invalid_image", "body_too_large")
_SERVER_CODES: Codes = {400: ("server_not_allowed",), 500: ("comfyui_unreachable",)}
_GENERATE_CODES: Codes = {
    400: (
        *_FIELD_CODES,
        *_PICTURE_CODES,
        "image_not_fetched",
        "unknown_image",
        "unknown_pipeline",
        "pipeline_needs_comfyui",
        "server_not_allowed",
        "invalid_idempotency_key",
        "webhooks_off",
        "invalid_webhook",
        "webhook_not_allowed",
        "webhook_not_found",
        *_job_codes(400),
    ),
    403: ("storage_full",),
    409: ("idempotency_key_reused",),
    429: ("queue_full", "key_queue_full", "too_many_uploads"),
    500: ("job_canceled", "generation_failed", *_job_codes(500)),
    503: ("shutting_down",),
}
_FILE_CODES: Codes = {
    404: ("not_found",),
    412: ("precondition_failed",),
    416: ("invalid_range",),
}
_MEDIA = ("image/*", "video/*", "application/octet-stream")
_FILE_HEADERS = ("Accept-Ranges", "ETag", "Last-Modified")
_JOB_LINKS = ("job", "events", "cancel")
_FILE = "The bytes as they were stored. A name never gets other bytes, so it may be kept for ever."
_FILE_ANSWERS = (
    Answer(200, "The whole file.", types=_MEDIA, headers=_FILE_HEADERS),
    Answer(206, "The part asked for.", types=_MEDIA, headers=(*_FILE_HEADERS, "Content-Range")),
    Answer(304, "The client has it already.", types=(), headers=("ETag",)),
)
_FILE_PARAMETERS = ("name", "Range", "If-None-Match")
_VIDEOS, _JOBS, _SERVICE = "videos", "jobs", "service"
TAGS: Mapping[str, str] = {
    _VIDEOS: "A picture in, a video out.",
    _JOBS: "Not waiting, following, stopping.",
    _SERVICE: "What the service is, and how it is.",
}

OPERATIONS: tuple[Operation, ...] = (
    Operation(
        "post",
        "/api/upload",
        "upload",
        _VIDEOS,
        "Upload a picture",
        "Keeps a JPEG, PNG or GIF (its bytes decide, not its name) and tells its address. The "
        "same bytes give the same address.",
        (Answer(200, "The picture is stored.", "Uploaded", links=("generate",)),),
        {
            400: (*_FIELD_CODES, *_PICTURE_CODES),
            403: ("storage_full",),
            429: ("too_many_uploads",),
            503: ("shutting_down",),
        },
        body="upload",
    ),
    Operation(
        "post",
        "/api/generate",
        "generate",
        _VIDEOS,
        "Make a video",
        "Answers when the video is ready; with `Prefer: respond-async` at once, with the job. The "
        "job goes on if the client leaves. `Idempotency-Key` makes it safe to send again.",
        (
            Answer(
                200,
                "The video is ready.",
                "Video",
                headers=("Preference-Applied", "Idempotency-Replayed"),
                links=("jobOfVideo", "eventsOfVideo", "cancelOfVideo"),
            ),
            Answer(
                202,
                "The job, which goes on.",
                "JobBody",
                headers=("Location", "Preference-Applied", "Idempotency-Replayed"),
                links=_JOB_LINKS,
            ),
        ),
        _GENERATE_CODES,
        parameters=("Prefer", "Idempotency-Key"),
        body="generate",
    ),
    Operation(
        "post",
        "/api/scene",
        "scene",
        _VIDEOS,
        "See how a text is understood",
        "Camera, look and length, as the built-in engine and the PromptReel nodes read them.",
        (Answer(200, "What was understood.", "SceneBody"),),
        {400: (*_FIELD_CODES, "body_too_large"), 429: ("too_many_uploads",)},
        body="scene",
    ),
    Operation(
        "get",
        "/api/files/{name}",
        "file",
        _VIDEOS,
        "Get a picture or video",
        _FILE,
        _FILE_ANSWERS,
        _FILE_CODES,
        parameters=_FILE_PARAMETERS,
        is_open=True,
    ),
    Operation(
        "head",
        "/api/files/{name}",
        "fileHeaders",
        _VIDEOS,
        "Ask for a file's type and length",
        _FILE,
        (Answer(200, "It is there.", types=_MEDIA, headers=_FILE_HEADERS), _FILE_ANSWERS[2]),
        _FILE_CODES,
        parameters=("name", "If-None-Match"),
        is_open=True,
    ),
    Operation(
        "get",
        "/api/pipelines",
        "pipelines",
        _VIDEOS,
        "List the pipelines",
        "Each with its parameters, what it needs, and what the ComfyUI lacks.",
        (Answer(200, "All that are known.", "PipelineList"),),
        {**_SERVER_CODES, 400: ("unknown_field", *_SERVER_CODES[400])},
        parameters=("serverUrl",),
    ),
    Operation(
        "get",
        "/api/jobs",
        "jobs",
        _JOBS,
        "List jobs",
        "The caller's own, the newest first.",
        (Answer(200, "Some of them.", "JobList", links=("firstJob", "olderJobs")),),
        {400: ("unknown_field",)},
        parameters=("status", "limit", "cursor"),
    ),
    Operation(
        "get",
        "/api/jobs/{id}",
        "job",
        _JOBS,
        "Show a job",
        "How far it is, and its result or error.",
        (Answer(200, "The job.", "JobBody", links=("events", "cancel")),),
        {404: ("unknown_job",)},
        parameters=("id",),
    ),
    Operation(
        "get",
        "/api/jobs/{id}/events",
        "jobEvents",
        _JOBS,
        "Follow a job",
        "Server-sent events: `status` (the job) when its status or place changes, `progress`, "
        "`preview` (a picture), and `result` (the job) once at the end, which closes the stream. "
        "Each has an id; `Last-Event-ID` goes on after it. A comment comes every 15 s.",
        (
            Answer(200, "The stream, to the job's end.", types=("text/event-stream",)),
            Answer(204, "The client has heard all.", types=()),
        ),
        {404: ("unknown_job",), 503: ("too_many_streams", "shutting_down")},
        parameters=("id", "Last-Event-ID"),
    ),
    Operation(
        "post",
        "/api/jobs/{id}/cancel",
        "cancelJob",
        _JOBS,
        "Stop a job",
        "A queued one never starts, a running one is interrupted. Asking again changes nothing.",
        (Answer(200, "The job.", "JobBody", links=("job",)),),
        {404: ("unknown_job",)},
        parameters=("id",),
    ),
    Operation(
        "get",
        "/",
        "welcome",
        _SERVICE,
        "Where things are",
        "Addresses to go on with; to who accepts HTML, the studio page.",
        (Answer(200, "This service.", "Welcome", types=(JSON, "text/html")),),
        is_open=True,
    ),
    Operation(
        "get",
        "/studio/{asset}",
        "studioAsset",
        _SERVICE,
        "A file of the studio page",
        "Its scripts, styles and pictures.",
        (Answer(200, "The file.", types=("text/javascript", "text/css", "image/svg+xml")),),
        {404: ("not_found",)},
        parameters=("asset",),
        is_open=True,
    ),
    Operation(
        "get",
        "/api/health",
        "health",
        _SERVICE,
        "Is it alive?",
        "For what restarts a service that is not.",
        (Answer(200, "Yes.", "Health"),),
        is_open=True,
    ),
    Operation(
        "get",
        "/api/ready",
        "ready",
        _SERVICE,
        "Can it take work?",
        "For what spreads requests over services.",
        (Answer(200, "Yes.", "Ready"),),
        {
            503: (
                "shutting_down",
                "comfyui_unreachable",
                "queue_full",
                "too_many_streams",
                "too_many_uploads",
                "disk_full",
                "storage_failed",
            )
        },
        is_open=True,
    ),
    Operation(
        "get",
        "/api/servers",
        "servers",
        _SERVICE,
        "List the ComfyUIs",
        "How each is, and what it can run, as of the last look.",
        (Answer(200, "In the operator's order.", "ServerList"),),
        {400: ("unknown_field",)},
    ),
    Operation(
        "get",
        "/metrics",
        "metrics",
        _SERVICE,
        "Figures for Prometheus",
        "In its text form, or as OpenMetrics where the Accept header asks for that.",
        (Answer(200, "The figures.", types=("text/plain", "application/openmetrics-text")),),
    ),
    Operation(
        "get",
        "/api/openapi.json",
        "openapi",
        _SERVICE,
        "This document",
        "OpenAPI 3.1, made from what checks requests and shapes answers.",
        (Answer(200, "The document.", "Document"),),
        is_open=True,
    ),
    Operation(
        "get",
        "/docs",
        "docs",
        _SERVICE,
        "A page to read and try the API",
        "It needs no internet.",
        (Answer(200, "The page.", types=("text/html",)),),
        is_open=True,
    ),
    Operation(
        "get",
        "/docs/{asset}",
        "docsAsset",
        _SERVICE,
        "A file of that page",
        "Its scripts and styles.",
        (Answer(200, "The file.", types=("text/javascript", "text/css")),),
        {404: ("not_found",)},
        parameters=("asset",),
        is_open=True,
    ),
)
