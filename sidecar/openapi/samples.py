"""Examples: requests that the tests send, and answers made by the code that makes real ones.

Must not know how a document is written.
"""

from __future__ import annotations

import base64
import struct
import zlib
from collections.abc import Mapping

from sidecar.error_codes import ErrorCode
from sidecar.http import answers, bodies
from sidecar.jobs import Job, JobSpec
from sidecar.values import JobState, Json, Outputs, Progress

_ID = "5f0c3f0b1c5e4b7e9a5d2f6c8e1a7b3d"
_WIDTH, _HEIGHT = 32, 18
_SAMPLES = {JobState.RUNNING: Progress(0.42, "rendering"), JobState.SUCCEEDED: Progress(1.0)}


def picture() -> bytes:
    """Return a small PNG: light from the left."""
    row = bytes([0, *(x * 255 // _WIDTH for x in range(_WIDTH))])
    size = struct.pack(">IIBBBBB", _WIDTH, _HEIGHT, 8, 0, 0, 0, 0)
    chunks = ((b"IHDR", size), (b"IDAT", zlib.compress(row * _HEIGHT, 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, data) for kind, data in chunks)


def requests() -> Mapping[str, Json]:
    """Return bodies of /api/generate by what they show; each works on any service."""
    uri = "data:image/png;base64," + base64.b64encode(picture()).decode("ascii")
    small = {"seconds": 1, "resolution": "480p", "comfyPipeline": "camera-motion"}
    return {
        "small": {"imageUrl": uri, "text": "slow push in, sunset", **small},
        "russian": {"imageUrl": uri, "text": _RUSSIAN, **small},
    }


def shapes(base: str) -> Mapping[str, object]:
    """Return an example of each answer by the name of its shape."""
    done, running = _job(JobState.SUCCEEDED), _job(JobState.RUNNING)
    uploaded: bodies.Uploaded = {"imageUrl": answers.file_url(base, f"{'0a' * 32}.png")}
    listed: bodies.JobList = {"jobs": [answers.job_view(done, None, base)], "nextCursor": None}
    health: bodies.Health = {"status": "ok", "version": "0.1.0"}
    details = "mode auto: no ComfyUI found, the built-in engine makes the videos"
    ready: bodies.Ready = {"status": "ready", "isDemo": True, "details": details}
    return {
        "Uploaded": uploaded,
        "Video": answers.result(done, base),
        "JobBody": answers.job_view(running, None, base),
        "JobList": listed,
        "Health": health,
        "Ready": ready,
    }


def told(base: str) -> bodies.WebhookBody:
    """Return what a webhook is told."""
    done = _job(JobState.SUCCEEDED)
    return {
        "type": "job.succeeded",
        "timestamp": answers.timestamp(done.finished_at),
        "data": answers.job_view(done, None, base),
    }


def error(row: ErrorCode) -> bodies.ErrorBody:
    """Return an answer with that code."""
    return {"error": row.meaning, "details": row.hint, "code": row.code}


def _job(state: JobState) -> Job:
    done = state is JobState.SUCCEEDED
    outputs = Outputs(f"{_ID}.png", f"{_ID}.mp4", demo=True)
    return Job(
        JobSpec(_ID, {"pipeline": "camera-motion"}),
        state,
        progress=_SAMPLES[state],
        result={"image": outputs.image, "video": outputs.video, "demo": True} if done else None,
        created_at=1767268800.0,
        started_at=1767268800.5,
        finished_at=1767268803.0 if done else None,
    )


def _chunk(kind: bytes, data: bytes) -> bytes:
    check = zlib.crc32(kind + data)
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", check)


# "Slow push in, sunset", and no English
_RUSSIAN = (
    "\u043c\u0435\u0434\u043b\u0435\u043d\u043d\u044b\u0439 \u043d\u0430\u0435\u0437\u0434, "
    "\u0437\u0430\u043a\u0430\u0442"
)
