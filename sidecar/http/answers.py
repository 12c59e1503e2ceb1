"""What the service answers, as plain JSON values: jobs, results, errors, URLs.

Knows the contract's names. Must not know requests, routes or stores.
"""

from __future__ import annotations

from datetime import datetime, timezone
from urllib.parse import urlsplit

from sidecar.errors import ApiError, BadRequest, ServerFailure
from sidecar.jobs import Job
from sidecar.values import JobError, JobState, Outputs, Progress

from .bodies import AskedBody, ErrorBody, JobBody, ProgressBody, Video

FILES = "/api/files/"


def error_body(error: ApiError) -> ErrorBody:
    """Return an error's body: `error`, `details`, `code`, and `fields` where some are named."""
    body: ErrorBody = {"error": error.error, "details": error.details, "code": error.code}
    if error.fields:
        body["fields"] = error.fields
    return body


def file_url(base: str, key: str) -> str:
    """Return the absolute URL of a stored file."""
    return f"{base}{FILES}{key}"


def result(job: Job, base: str) -> Video:
    """Return the answer of a finished job. Raises ApiError if it did not succeed."""
    if job.state is JobState.FAILED and job.error is not None:
        raise _failure(job.error, job.id)
    if job.result is None:
        raise ServerFailure("The job was canceled.", code="job_canceled", details=f"Job {job.id}.")
    outputs = Outputs(**job.result)
    answer: Video = {
        "image": file_url(base, outputs.image),
        "video": file_url(base, outputs.video),
        "jobId": job.id,
    }
    if outputs.workflow_response is not None:
        answer["workflowResponse"] = outputs.workflow_response
    if outputs.demo:
        answer["isDemo"] = True
    return answer


def job_view(job: Job, position: int | None, base: str) -> JobBody:
    """Return a job as GET /api/jobs/{id} shows it."""
    own = f"{base}/api/jobs/{job.id}"
    return {
        "id": job.id,
        "status": job.state.value,
        "progress": progress_view(job.progress),
        "queuePosition": position,
        "pipeline": job.spec.payload.get("pipeline"),
        "createdAt": timestamp(job.created_at),
        "startedAt": timestamp(job.started_at),
        "finishedAt": timestamp(job.finished_at),
        "result": result(job, base) if job.state is JobState.SUCCEEDED else None,
        "error": error_body(_failure(job.error, job.id)) if job.error else None,
        "urls": {"self": own, "events": f"{own}/events", "cancel": f"{own}/cancel"},
    }


def asked_view(job: Job, base: str, longest: int | None = None) -> AskedBody:
    """Return what a job was asked for; its text is cut after `longest` characters."""
    payload = job.spec.payload
    return {
        "imageUrl": file_url(base, payload.get("image", "")),
        "text": payload.get("text", "")[:longest],
        "parameters": {k: v for k, v in payload.get("params", {}).items() if v is not None},
    }


def progress_view(progress: Progress) -> ProgressBody:
    """Return how far a job is."""
    return {
        "value": progress.value,
        "message": progress.message,
        "node": progress.node,
        "step": progress.step,
        "steps": progress.steps,
    }


def job_path(base: str, job_id: str) -> str:
    """Return a job's address without the host: what a Location header says."""
    return f"{urlsplit(base).path.rstrip('/')}/api/jobs/{job_id}"


def _failure(error: JobError, job_id: str) -> ApiError:
    kind = BadRequest if error.status == 400 else ServerFailure
    return kind(error.error, details=error.details or f"Job {job_id}.", code=error.code)


def timestamp(seconds: float | None) -> str | None:
    """Return a time as RFC 3339 in UTC."""
    if seconds is None:
        return None
    moment = datetime.fromtimestamp(seconds, timezone.utc)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
