"""What is as it is, rather than counted: queues, servers, disk; read when somebody asks.

Knows the numbers' names. Must not know where they are read.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from sidecar.http.bodies import ServerBody


@dataclass(frozen=True)
class Unfinished:
    """How many jobs of a pipeline wait or run, and since when the oldest of them is known."""

    lane: str
    state: str
    pipeline: str
    count: int
    since: float = 0.0


@dataclass(frozen=True)
class Snapshot:
    """How things stand at `at` (epoch s). `servers`: rows of GET /api/servers."""

    at: float = 0.0
    unfinished: tuple[Unfinished, ...] = ()
    lanes: tuple[str, ...] = ()
    servers: tuple[ServerBody, ...] = ()
    event_clients: int = 0
    webhooks: int = 0
    media_files: int = 0
    media_bytes: int = 0
    disk_free: int = 0

    def with_pipelines(self, named: Callable[[str], str]) -> Snapshot:
        """Return it with other names of pipelines, those that become one added up."""
        rows: dict[tuple[str, str, str], Unfinished] = {}
        for row in self.unfinished:
            key = (row.lane, row.state, named(row.pipeline))
            before = rows.get(key, Unfinished(*key, 0, row.since))
            since = min(before.since, row.since)
            rows[key] = replace(before, count=before.count + row.count, since=since)
        return replace(self, unfinished=tuple(rows.values()))


NOTHING = Snapshot()


@dataclass(eq=False)
class SnapshotCollector(Collector):
    """Tells what is `shown`."""

    shown: Snapshot = field(default=NOTHING)

    def collect(self) -> Iterator[Metric]:
        """Give the gauges."""
        yield from self._queues()
        yield from self._servers()
        shown = self.shown
        for name, text, value in (
            ("event_clients", "Clients that follow a job.", shown.event_clients),
            ("webhooks_pending", "Webhooks that are still to be told.", shown.webhooks),
            ("media_files", "Files in the media store.", shown.media_files),
            ("media_bytes", "Bytes in the media store.", shown.media_bytes),
            ("disk_free_bytes", "Free bytes where the media store lies.", shown.disk_free),
        ):
            yield GaugeMetricFamily(f"promptreel_{name}", text, value)

    def _queues(self) -> Iterator[Metric]:
        now = self.shown
        jobs = GaugeMetricFamily(
            "promptreel_jobs_unfinished",
            "Jobs that wait or run.",
            labels=("lane", "pipeline", "state"),
        )
        depth: Counter[str] = Counter(dict.fromkeys(now.lanes, 0))
        ages = dict.fromkeys(now.lanes, 0.0)
        for row in now.unfinished:
            jobs.add_metric((row.lane, row.pipeline, row.state), row.count)
            if row.state == "queued":
                depth[row.lane] += row.count
                ages[row.lane] = max(ages.get(row.lane, 0.0), now.at - row.since)
        yield jobs
        yield _by("queue_depth", "Jobs that wait.", "lane", depth)
        yield _by("queue_oldest_seconds", "How long the oldest of them waits.", "lane", ages)

    def _servers(self) -> Iterator[Metric]:
        rows = _named(self.shown.servers)
        up = {name: float(row["status"] == "ok") for name, row in rows.items()}
        ours = {name: row["inFlight"] for name, row in rows.items()}
        depth = {name: row["queueDepth"] or 0 for name, row in rows.items()}
        yield _by("comfyui_up", "Whether the ComfyUI answered at the last look.", "server", up)
        yield _by("comfyui_jobs_in_flight", "Jobs that it was given.", "server", ours)
        yield _by("comfyui_queue_depth", "Prompts that run or wait in it.", "server", depth)


def _named(rows: tuple[ServerBody, ...]) -> dict[str, ServerBody]:
    """Return the servers by name; of one name, by address."""
    names = Counter(row["name"] for row in rows)
    return {row["name"] if names[row["name"]] == 1 else row["url"]: row for row in rows}


def _by(name: str, text: str, label: str, values: Mapping[str, float]) -> Metric:
    family = GaugeMetricFamily(f"promptreel_{name}", text, labels=(label,))
    for key, value in values.items():
        family.add_metric((key,), value)
    return family
