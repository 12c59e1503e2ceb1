"""Tracing by OpenTelemetry: the only file that knows it. Nothing of it is made global.

Endpoint, headers, sampling and the service's name are read by the SDK from its own variables.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import contextmanager

from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Span, SpanKind, Status, StatusCode, Tracer, set_span_in_context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from sidecar.jobs import Job

_W3C = TraceContextTextMapPropagator()
_NAME = "promptreel"
# What the ledger says is about to happen, and how that is called in a trace.
STEPS = {
    "submitting": "submit",
    "unknown": "submit",
    "accepted": "wait",
    "following": "run",
    "fetching": "fetch",
}


class OtelTracing:
    """Spans of one process, sent by `provider`."""

    def __init__(self, provider: TracerProvider) -> None:
        self._provider = provider
        self._tracer = provider.get_tracer(_NAME)

    @classmethod
    def exporting(cls, environ: Mapping[str, str]) -> OtelTracing:
        """Make one that sends by OTLP over HTTP, in a thread of its own."""
        named = environ.get("OTEL_SERVICE_NAME") or "service.name=" in environ.get(
            "OTEL_RESOURCE_ATTRIBUTES", ""
        )
        resource = Resource.create({} if named else {SERVICE_NAME: _NAME})
        provider = TracerProvider(resource=resource, shutdown_on_exit=False)
        provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
        return cls(provider)

    @contextmanager
    def request(
        self, method: str, route: str, headers: Mapping[str, str], request_id: str
    ) -> Generator[OtelRequest, None, None]:
        """Begin a request's span; a `traceparent` header names its parent."""
        attributes = {
            "http.request.method": method,
            "http.route": route,
            "promptreel.request_id": request_id,
        }
        with self._tracer.start_as_current_span(
            f"{method} {route}",
            _parent(headers.get("traceparent", "")),
            SpanKind.SERVER,
            attributes,
        ) as span:
            yield OtelRequest(span)

    @contextmanager
    def job(self, job: Job, server: str) -> Generator[OtelJob, None, None]:
        """Begin the span of an attempt, under the request that asked for the job."""
        attributes = {
            "promptreel.job_id": job.id,
            "promptreel.request_id": job.spec.request_id,
            "promptreel.pipeline": str(job.spec.payload.get("pipeline")),
            "promptreel.attempt": job.attempt,
            "server.address": server,
        }
        with self._tracer.start_as_current_span(
            "job attempt", _parent(job.spec.trace), SpanKind.CONSUMER, attributes
        ) as span:
            told = OtelJob(span, self._tracer)
            try:
                yield told
            finally:
                told.over()

    def close(self) -> None:
        """Send what was not sent yet; blocks."""
        self._provider.shutdown()


class OtelRequest:
    """The span of a request."""

    def __init__(self, span: Span) -> None:
        self._span = span

    @property
    def traceparent(self) -> str:
        """What says to others which span this is."""
        carrier: dict[str, str] = {}
        _W3C.inject(carrier, set_span_in_context(self._span))
        return carrier.get("traceparent", "")

    def answered(self, status: int) -> None:
        """Say how it ended."""
        self._span.set_attribute("http.response.status_code", status)
        if status >= 500:
            self._span.set_status(Status(StatusCode.ERROR))


class OtelJob:
    """The span of an attempt, with one child at a time: the step it is in."""

    def __init__(self, span: Span, tracer: Tracer) -> None:
        self._span = span
        self._tracer = tracer
        self._step: Span | None = None
        self._name = ""

    def reached(self, step: str, prompt_id: str) -> None:
        """Say that a step begins: the one before is over."""
        name = STEPS.get(step, "")
        if prompt_id:
            self._span.set_attribute("promptreel.prompt_id", prompt_id)
        if name == self._name:
            return
        self.over()
        self._name = name
        if name:
            self._step = self._tracer.start_span(name, set_span_in_context(self._span))

    def failed(self, code: str) -> None:
        """Say why it failed."""
        self._span.set_attribute("error.type", code)
        self._span.set_status(Status(StatusCode.ERROR, code))

    def over(self) -> None:
        """End the step it is in."""
        if self._step is not None:
            self._step.end()
            self._step = None


def _parent(traceparent: str) -> Context:
    """Return what a header names as the parent; nothing if there is none, or a wrong one."""
    return _W3C.extract({"traceparent": traceparent}, Context())
