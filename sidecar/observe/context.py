"""Which request, and which job, the code that runs now works for: two context variables.

Whatever is logged in between gets them (`logs`). Knows nothing of HTTP, jobs or loggers.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Generator
from contextlib import contextmanager, suppress
from contextvars import ContextVar

HEADER = "X-Request-Id"
REQUEST_ID: ContextVar[str] = ContextVar("request_id", default="")
JOB_ID: ContextVar[str] = ContextVar("job_id", default="")
_WELL_FORMED = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


def request_id(given: str) -> str:
    """Return the id that a client or a proxy gave if it is well-formed, else a new one."""
    return given if _WELL_FORMED.fullmatch(given) else uuid.uuid4().hex


@contextmanager
def about(request: str, job: str = "") -> Generator[None, None, None]:
    """Work for a request, or for a job that it asked for, for the time of the block."""
    tokens = REQUEST_ID.set(request), JOB_ID.set(job)
    try:
        yield
    finally:
        with suppress(ValueError):  # a task that is thrown away ends outside of its context
            REQUEST_ID.reset(tokens[0])
            JOB_ID.reset(tokens[1])
