"""Spans as a protocol, and the tracing that does nothing: used unless OTEL_* variables ask for one.

A request's span is the parent of its job's attempts, also after a restart: the job's row holds its
`traceparent` (W3C Trace Context). Must not know OpenTelemetry (`otel` does).
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Protocol

from sidecar.jobs import Job
from sidecar.settings import SettingsError

ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
_PROTOCOLS = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
_HTTP = "http/protobuf"


class RequestSpan(Protocol):
    """One request."""

    @property
    def traceparent(self) -> str:
        """What says to others which span this is; blank if it is none."""
        ...

    def answered(self, status: int) -> None:
        """Say how it ended."""
        ...


class JobSpan(Protocol):
    """One attempt at a job."""

    def reached(self, step: str, prompt_id: str) -> None:
        """Say that a step begins: the one before is over. Blank: that is no news."""
        ...

    def failed(self, code: str) -> None:
        """Say why it failed."""
        ...


class Tracing(Protocol):
    """Begins spans; they end with their block."""

    def request(
        self, method: str, route: str, headers: Mapping[str, str], request_id: str
    ) -> AbstractContextManager[RequestSpan]:
        """Begin a request's span; a `traceparent` header names its parent."""
        ...

    def job(self, job: Job, server: str) -> AbstractContextManager[JobSpan]:
        """Begin the span of an attempt."""
        ...

    def close(self) -> None:
        """Send what was not sent yet; blocks."""
        ...


class _Nothing:
    """A span that is none."""

    traceparent = ""

    def answered(self, status: int) -> None:
        """Say how it ended."""

    def reached(self, step: str, prompt_id: str) -> None:
        """Say that a step begins."""

    def failed(self, code: str) -> None:
        """Say why it failed."""


_NOTHING = _Nothing()


class NoTracing:
    """Begins nothing."""

    def request(
        self, method: str, route: str, headers: Mapping[str, str], request_id: str
    ) -> AbstractContextManager[RequestSpan]:
        """Begin nothing."""
        del method, route, headers, request_id
        return nullcontext(_NOTHING)

    def job(self, job: Job, server: str) -> AbstractContextManager[JobSpan]:
        """Begin nothing."""
        del job, server
        return nullcontext(_NOTHING)

    def close(self) -> None:
        """Send nothing."""


def tracing_by(environ: Mapping[str, str]) -> Tracing:
    """Return the tracing that OpenTelemetry's own variables ask for. Raises SettingsError."""
    endpoint = next((name for name in ENDPOINTS if environ.get(name, "").strip()), "")
    off = environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true"
    if not endpoint or off or environ.get("OTEL_TRACES_EXPORTER", "otlp").strip() == "none":
        return NoTracing()
    protocol = next((environ[name] for name in _PROTOCOLS if environ.get(name)), _HTTP)
    if protocol != _HTTP:
        raise SettingsError(f"OTEL_EXPORTER_OTLP_PROTOCOL must be {_HTTP}, not {protocol!r}.")
    try:
        from .otel import OtelTracing  # noqa: PLC0415  an extra, and slow to load
    except ImportError:
        raise SettingsError(
            f"{endpoint} asks for traces: pip install 'promptreel[otel]' first, or unset it."
        ) from None
    return OtelTracing.exporting(environ)
