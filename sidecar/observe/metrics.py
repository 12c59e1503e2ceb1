"""The meter on prometheus_client, with a registry of its own: two services in one process are two.

Label values are few: route templates, states, the names of known pipelines, the operator's servers.
Must not know HTTP requests, or where the numbers come from.
"""

from __future__ import annotations

import platform
from collections.abc import Callable, Collection

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Histogram,
    Info,
    PlatformCollector,
    ProcessCollector,
)
from prometheus_client.exposition import choose_encoder

from sidecar.jobs import Job
from sidecar.values import JobState

from .meter import Answered
from .snapshot import NOTHING, Snapshot, SnapshotCollector

OTHER = "other"
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
_QUICK = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900)
_LONG = (0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 21600, 86400)
_LAG = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5)
_ENDS = tuple(state for state in JobState if state.terminal)
_STARTED = 2  # the version of a job that has just begun its first attempt


class Metrics:
    """Counts, and tells it all as text. `pipelines` gives the known names. Blocks when made."""

    def __init__(self, version: str) -> None:
        self.pipelines: Callable[[], Collection[str]] = tuple
        self._now = SnapshotCollector()
        own = self._registry = CollectorRegistry()
        self._requests = Counter(
            "promptreel_http_requests",
            "Requests answered.",
            ("method", "route", "status"),
            registry=own,
        )
        self._durations = Histogram(
            "promptreel_http_request_duration_seconds",
            "From a request's head to its answer; for events to their end.",
            ("method", "route"),
            buckets=_QUICK,
            registry=own,
        )
        self._received = Counter(
            "promptreel_http_request_body_bytes",
            "Bytes of request bodies received.",
            ("route",),
            registry=own,
        )
        self._sent = Counter(
            "promptreel_http_response_body_bytes",
            "Bytes of response bodies, as announced.",
            ("route",),
            registry=own,
        )
        self._fetched = Counter(
            "promptreel_fetched_bytes",
            "Bytes of pictures fetched from the addresses that requests named.",
            registry=own,
        )
        self._lag = Histogram(
            "promptreel_event_loop_lag_seconds",
            "How late the event loop wakes up.",
            buckets=_LAG,
            registry=own,
        )
        self._for_jobs(own)
        self._for_process(own, version)

    def _for_jobs(self, own: CollectorRegistry) -> None:
        self._submitted = Counter(
            "promptreel_jobs_submitted", "Jobs asked for.", ("pipeline",), registry=own
        )
        self._ended = Counter(
            "promptreel_jobs", "Jobs that ended.", ("pipeline", "state"), registry=own
        )
        self._waits = Histogram(
            "promptreel_job_wait_seconds",
            "From asking for a job to the start of its first attempt.",
            ("pipeline",),
            buckets=_LONG,
            registry=own,
        )
        self._runs = Histogram(
            "promptreel_job_run_seconds",
            "From the start of a job's first attempt to its end.",
            ("pipeline", "state"),
            buckets=_LONG,
            registry=own,
        )
        self._made = Counter(
            "promptreel_result_bytes",
            "Bytes of the files that jobs made.",
            ("pipeline",),
            registry=own,
        )

    def _for_process(self, own: CollectorRegistry, version: str) -> None:
        info = Info("promptreel_build", "The version that runs.", registry=own)
        info.info({"version": version, "python": platform.python_version()})
        PlatformCollector(registry=own)
        ProcessCollector(registry=own)
        own.register(self._now)

    # counting

    def answered(self, one: Answered) -> None:
        """Count a request."""
        method = one.method if one.method in METHODS else OTHER
        self._requests.labels(method, one.route, str(one.status)).inc()
        self._durations.labels(method, one.route).observe(one.seconds)
        self._received.labels(one.route).inc(one.received)

    def sent(self, route: str, size: int) -> None:
        """Count the bytes of an answer's body, as announced."""
        self._sent.labels(route).inc(size)

    def submitted(self, job: Job) -> None:
        """Count a job that is new."""
        name = self._pipeline(job)
        self._submitted.labels(name).inc()
        for state in _ENDS:  # told as 0 before the first: increase() misses what appears as 1
            self._ended.labels(name, state.value)

    def changed(self, job: Job) -> None:
        """Take note of a job's new state."""
        name = self._pipeline(job)
        if job.state is JobState.RUNNING and job.version == _STARTED and job.started_at is not None:
            self._waits.labels(name).observe(max(job.started_at - job.created_at, 0.0))
        if not job.state.terminal:
            return
        self._ended.labels(name, job.state.value).inc()
        if job.started_at is not None and job.finished_at is not None:
            seconds = max(job.finished_at - job.started_at, 0.0)
            self._runs.labels(name, job.state.value).observe(seconds)

    def made(self, pipeline: str, size: int) -> None:
        """Count the bytes of a job's files."""
        self._made.labels(self._known(pipeline)).inc(size)

    def fetched(self, size: int) -> None:
        """Count bytes that came from a picture's address."""
        self._fetched.inc(size)

    def lagged(self, seconds: float) -> None:
        """Take note of how late the event loop was."""
        self._lag.observe(seconds)

    # telling

    def text(self, snapshot: Snapshot, accept: str = "") -> tuple[bytes, str]:
        """Return all metrics and their content type, in the form that is accepted; blocks."""
        self._now.shown = snapshot.with_pipelines(self._known)
        encode, content_type = choose_encoder(accept)
        return encode(self._registry), content_type

    def names(self) -> set[str]:
        """Return the name of every sample there can be, whether it has been counted or not."""
        self._now.shown = NOTHING
        kinds = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count")}
        return {
            f"{family.name}{suffix}"
            for family in self._registry.collect()
            for suffix in kinds.get(family.type, ("_info",) if family.type == "info" else ("",))
        }

    def _pipeline(self, job: Job) -> str:
        return self._known(str(job.spec.payload.get("pipeline")))

    def _known(self, pipeline: str) -> str:
        return pipeline if pipeline in self.pipelines() else OTHER
