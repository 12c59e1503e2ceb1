"""The table of error codes: what each means, and what to do. Nothing is answered that is not here.

docs/errors.md is made from it (`python -m sidecar.error_codes`), and so is what /api/openapi.json
tells of each route's failures. Must not know where a code is raised.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class ErrorCode:
    """One row.

    `request`: it is an answer to a request at once; `job`: it may be why a job failed, which the
    job tells, and /api/generate to who waits there.
    """

    code: str
    statuses: tuple[int, ...]
    meaning: str
    hint: str
    request: bool
    job: bool


_REQUEST = (
    ("missing_field", (400,), "A field that must be there is missing or blank.",
     "`fields` names it."),
    ("unknown_field", (400,), "A field that nobody reads: mostly a typo.",
     "`details` lists the accepted names."),
    ("malformed_body", (400,), "The body ends too early, or is not what it claims to be.",
     "Let a library write it; in a browser send a FormData."),
    ("body_too_slow", (400,), "The body came with less than 500 bytes a second, or took too long.",
     "Send it again over a better connection, or a smaller picture."),
    ("invalid_content_type", (400,), "The body has a content type that is not read here.",
     "Set no Content-Type header yourself when you send a FormData."),
    ("body_too_large", (400,), "The body is larger than any right one.",
     "Send the picture to /api/upload, and its URL here."),
    ("file_too_large", (400,), "The picture's file is larger than the operator allows.",
     "Send a smaller one; PROMPTREEL_MAX_UPLOAD_MB is the limit."),
    ("invalid_image", (400,), "The bytes are no picture that can be read, or too many pixels.",
     "Send a JPEG, PNG or GIF."),
    ("image_not_fetched", (400,), "The picture at imageUrl could not be fetched.",
     "Check the address, or upload the picture."),
    ("unknown_image", (400,), "imageUrl names a picture of this service that is not there.",
     "Upload it first; unused ones are deleted after a while."),
    ("unknown_pipeline", (400,), "comfyPipeline names none that is known.",
     "`error` lists the known ones, as GET /api/pipelines does."),
    ("pipeline_needs_comfyui", (400,), "There is no ComfyUI, and this pipeline needs one.",
     "Name one by serverUrl or COMFYUI_SERVER_URL, or leave comfyPipeline out."),
    ("server_not_allowed", (400,), "serverUrl names an address that the operator does not allow.",
     "List it in PROMPTREEL_ALLOWED_SERVERS."),
    ("invalid_idempotency_key", (400,), "The Idempotency-Key is not 1 to 255 ASCII characters.",
     "A random UUID is a good one."),
    ("webhooks_off", (400,), "webhookUrl was given, but the operator has set no secret.",
     "Set PROMPTREEL_WEBHOOK_SECRET, or follow the job."),
    ("invalid_webhook", (400,), "webhookUrl is no http(s) address that can be called.",
     "Give one without a user name, of 2000 characters at most."),
    ("webhook_not_allowed", (400,), "webhookUrl leads into a private network.",
     "List its host in PROMPTREEL_ALLOWED_WEBHOOK_HOSTS."),
    ("webhook_not_found", (400,), "The host of webhookUrl can't be found.", "Check its name."),
    ("unauthorized", (401,), "There is no API key, or a wrong one.",
     "Send `Authorization: Bearer KEY`."),
    ("storage_full", (403,), "The files of this key take as much space as they may.",
     "Ask the operator for more, or wait until old ones are deleted."),
    ("host_not_allowed", (403,), "The Host header names a host that does not belong here.",
     "List it in PROMPTREEL_ALLOWED_HOSTS."),
    ("origin_not_allowed", (403,), "A page of an origin that is not listed called.",
     "List it in PROMPTREEL_CORS_ORIGINS."),
    ("not_found", (404,), "There is nothing at this address.",
     "GET / tells the addresses; files are named by answers."),
    ("unknown_job", (404,), "There is no such job, or another key made it.",
     "Jobs are named by the jobId of an answer of /api/generate."),
    ("method_not_allowed", (405,), "The address does not understand this method.",
     "The Allow header lists those that it does."),
    ("idempotency_key_reused", (409,), "The Idempotency-Key was used for another request.",
     "Take a new key."),
    ("precondition_failed", (412,), "The file is not the one that If-Match means.",
     "Ask for it anew."),
    ("invalid_range", (416,), "The file has no such part.",
     "Content-Range tells its length."),
    ("queue_full", (429, 503), "As many jobs wait as may.",
     "Try again after the seconds in Retry-After; PROMPTREEL_MAX_QUEUED is the limit."),
    ("key_queue_full", (429,), "As many jobs of this key wait as may.",
     "Try again after the seconds in Retry-After."),
    ("rate_limited", (429,), "This key has sent more requests in a minute than it may.",
     "Try again after the seconds in Retry-After."),
    ("too_many_uploads", (429, 503), "As many pictures are being received as may.",
     "Try again after the seconds in Retry-After."),
    ("too_many_streams", (503,), "As many clients follow jobs as may.",
     "Ask for the job itself, or try again after the seconds in Retry-After."),
    ("too_many_connections", (503,), "As many connections are open as may.",
     "Try again after the seconds in Retry-After; PROMPTREEL_MAX_CONNECTIONS is the limit."),
    ("keys_unreadable", (503,), "The file of API keys can't be read.",
     "The operator looks into the service's log."),
    ("shutting_down", (503,), "The service is stopping.",
     "Try again soon: stored jobs go on when it is back."),
    ("job_canceled", (500,), "The job was canceled while its request waited.",
     "Send it again if you want the video."),
    ("generation_failed", (500,), "The job was deleted while its request waited.",
     "Send it again."),
)  # fmt: skip

_BOTH = (
    ("invalid_request", (400, 417), "The request, or a value in it, is wrong.",
     "`error` says what; `fields` names each wrong field and its limits."),
    ("missing_requirements", (400,), "The ComfyUI lacks nodes or models of the pipeline.",
     "`error` lists them with their folders: install them there."),
    ("comfyui_unreachable", (500, 503), "No ComfyUI answers at the address that was named.",
     "Start it, or correct serverUrl or COMFYUI_SERVER_URL."),
    ("disk_full", (500, 503), "There is no space left where pictures and videos are kept or made.",
     "Free some, of the service or of the ComfyUI machine."),
    ("storage_failed", (500, 503), "The data folder can't be read or written.",
     "The operator looks into the service's log."),
    ("internal_error", (500,), "A fault in the service.",
     "Try again; the service's log says more."),
)  # fmt: skip

_JOB = (
    ("picture_gone", (400,), "The picture was deleted before the job began.", "Upload it again."),
    ("pipeline_gone", (500,), "The pipeline was removed before the job began.", "Send it again."),
    ("encoding_failed", (500,), "The video could not be written.",
     "See whether the disk is full."),
    ("graph_rejected", (500,), "ComfyUI refuses the graph or a value in it.",
     "`error` names the node and the input."),
    ("node_failed", (500,), "A node failed in ComfyUI.", "`error` names it and the cause."),
    ("out_of_memory", (500,), "The GPU's memory was not enough.",
     "Ask for a lower resolution or fewer seconds."),
    ("comfyui_failed", (500,), "ComfyUI failed and did not say why.", "Look into its log."),
    ("comfyui_restarted", (500,), "ComfyUI was restarted again and again meanwhile.",
     "Send the request again."),
    ("comfyui_stalled", (500,), "ComfyUI made no progress for too long and was stopped.",
     "Raise PROMPTREEL_COMFYUI_SECONDS."),
    ("comfyui_stuck", (500,), "ComfyUI does not stop a job.", "Restart it."),
    ("interrupted_in_comfyui", (500,), "Somebody stopped the job in ComfyUI.",
     "Send the request again."),
    ("removed_in_comfyui", (500,), "Somebody removed the job from ComfyUI's queue.",
     "Send the request again."),
    ("no_output", (500,), "ComfyUI finished, but made no file that can be used.",
     "Check the pipeline's save node."),
    ("too_large", (500,), "ComfyUI made a file that is too large to be kept.",
     "Ask for a smaller or shorter video."),
    ("not_started_in_time", (500,), "The job waited too long.",
     "Send it again when less is waiting; PROMPTREEL_START_SECONDS is the limit."),
    ("took_too_long", (500,), "The job took too long and was stopped.",
     "Ask for a shorter or smaller video; PROMPTREEL_TOTAL_SECONDS is the limit."),
    ("attempts_exhausted", (500,), "The job was interrupted too often and was given up.",
     "Send the request again."),
)  # fmt: skip


def _rows() -> Iterator[ErrorCode]:
    parts = ((_REQUEST, True, False), (_BOTH, True, True), (_JOB, False, True))
    for rows, request, job in parts:
        yield from (ErrorCode(*row, request, job) for row in rows)


CODES: tuple[ErrorCode, ...] = tuple(_rows())


_PAGE = """\
# Errors

<!-- Made by `python -m sidecar.error_codes > docs/errors.md`. -->

Every answer that is not a yes is JSON: `error` (one sentence that says what to do), `details`, and
`code`, a word of these tables that does not change; `fields` names wrong fields.

## Of requests

{requests}

## Of jobs

A job that fails holds one of these in `error`; who waits at `POST /api/generate` is answered with
it.

{jobs}
"""


def page() -> str:
    """Return docs/errors.md."""
    requests = _table(row for row in CODES if row.request)
    return _PAGE.format(requests=requests, jobs=_table(row for row in CODES if row.job))


def _table(rows: Iterable[ErrorCode]) -> str:
    lines = ["| code | status | meaning | what to do |", "|---|---|---|---|"]
    for row in rows:
        statuses = ", ".join(map(str, row.statuses))
        lines.append(f"| `{row.code}` | {statuses} | {row.meaning} | {row.hint} |")
    return "\n".join(lines)


if __name__ == "__main__":
    print(page(), end="")
