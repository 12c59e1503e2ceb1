"""What the API can answer with when it can't say yes; one middleware turns these into JSON.

ApiError (code, status, error, details, fields)
|-- BadRequest          400  the request is wrong
|-- Unauthorized        401  no key
|-- Forbidden           403  the key may not do this
|-- NotFound            404
|-- Conflict            409  Idempotency-Key reused for another request
|-- PreconditionFailed  412  a file is not the one that the client means
|-- RangeNotSatisfiable 416  no such part of a file
|-- TooManyRequests     429  with Retry-After
|-- ServerFailure       500  the server could not do it
`-- Unavailable         503  shutting down
"""

from __future__ import annotations

from collections.abc import Mapping


class ApiError(Exception):
    """An answer that is not a yes. `error` is one sentence that says what to do.

    Without `details` the wrong fields are listed there.
    """

    status = 500
    default_code = "internal_error"

    def __init__(
        self,
        error: str,
        *,
        details: str = "",
        code: str | None = None,
        fields: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(error)
        self.error = error
        self.code = code or self.default_code
        self.fields = dict(fields or {})
        self.details = details or "; ".join(f"{name}: {why}" for name, why in self.fields.items())
        self.headers = dict(headers or {})


class BadRequest(ApiError):
    """The request is wrong."""

    status = 400
    default_code = "invalid_request"


class Unauthorized(ApiError):
    """There is no key, or a wrong one."""

    status = 401
    default_code = "unauthorized"


class Forbidden(ApiError):
    """The caller may not do this."""

    status = 403
    default_code = "forbidden"


class NotFound(ApiError):
    """There is no such thing."""

    status = 404
    default_code = "not_found"


class Conflict(ApiError):
    """The request contradicts an earlier one."""

    status = 409
    default_code = "conflict"


class PreconditionFailed(ApiError):
    """The file is not the one that the client means."""

    status = 412
    default_code = "precondition_failed"


class RangeNotSatisfiable(ApiError):
    """The file has no such part; `headers` holds Content-Range."""

    status = 416
    default_code = "invalid_range"


class TooManyRequests(ApiError):
    """Try again later; `headers` holds Retry-After."""

    status = 429
    default_code = "queue_full"


class ServerFailure(ApiError):
    """The server could not do what was rightly asked."""

    status = 500
    default_code = "generation_failed"


class Unavailable(ApiError):
    """The server is shutting down or not ready."""

    status = 503
    default_code = "unavailable"
