"""The Grafana dashboard: each query names only what /metrics has, by labels that it has."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families as families

from sidecar.jobs import Job, JobSpec
from sidecar.observe.meter import Answered
from sidecar.observe.metrics import Metrics
from sidecar.observe.snapshot import Snapshot, Unfinished
from sidecar.values import JobState

FILE = Path(__file__).parents[3] / "deploy" / "grafana" / "promptreel.json"
BOARD = json.loads(FILE.read_text("utf-8"))
PANELS = [panel for panel in BOARD["panels"] if panel["type"] != "row"]
QUERIES = [target["expr"] for panel in PANELS for target in panel["targets"]]
SERVER = {"url": "http://a", "name": "a", "status": "ok", "queueDepth": 1, "inFlight": 1}


@pytest.fixture(scope="module")
def labels() -> dict[str, set[str]]:
    """Every sample's name, and its labels, of a service to which everything has happened."""
    metrics = Metrics("1")
    spec = JobSpec("j", {"pipeline": "p"})
    metrics.answered(Answered("GET", "/x", 200, 0.1))
    metrics.sent("/x", 1)
    metrics.submitted(Job(spec, JobState.QUEUED))
    metrics.changed(Job(spec, JobState.RUNNING, version=2, started_at=1.0))
    metrics.changed(Job(spec, JobState.SUCCEEDED, started_at=1.0, finished_at=2.0))
    metrics.made("p", 1)
    metrics.fetched(1)
    metrics.lagged(0.1)
    unfinished = (Unfinished("demo", "queued", "p", 1),)
    now = Snapshot(1.0, unfinished, ("demo",), (SERVER,))  # type: ignore[arg-type]
    text = metrics.text(now)[0].decode()
    return {
        sample.name: set(sample.labels) for family in families(text) for sample in family.samples
    }


def names(text: str) -> set[str]:
    return set(re.findall(r"\b(?:promptreel|process)_[a-z_]+", text))


@pytest.mark.parametrize("query", QUERIES)
def test_each_query_names_what_there_is(query: str, labels: dict[str, set[str]]):
    found = names(query)
    assert found
    assert found <= set(labels)
    known = set().union(*(labels[name] for name in found)) | {"instance", "le"}
    by = re.findall(r"\bby \(([^)]*)\)", query)
    used = {label.strip() for group in by for label in group.split(",")}
    used |= set(re.findall(r"([a-z_]+)\s*(?:=~|!=|!~|=)\s*\"", query))
    assert used <= known
    assert query.count("(") == query.count(")")


@pytest.mark.parametrize("query", QUERIES)
def test_counters_are_asked_for_their_rate_and_gauges_are_not(query: str):
    for name in names(query):
        grows = name.endswith(("_total", "_bucket", "_sum", "_count"))
        rated = re.search(rf"(rate|increase)\({name}[{{\[]", query) is not None
        assert rated == grows, name


def test_legends_name_labels_that_the_query_keeps():
    for panel in PANELS:
        for target in panel["targets"]:
            kept = re.findall(r"\bby \(([^)]*)\)", target["expr"])
            if kept:
                shown = set(re.findall(r"{{(\w+)}}", target["legendFormat"]))
                assert shown <= {label.strip() for group in kept for label in group.split(",")}


def test_every_metric_of_ours_is_on_the_board(labels: dict[str, set[str]]):
    asked = set().union(*map(names, QUERIES))
    stems = {re.sub(r"_(bucket|sum|count|total|created)$", "", name) for name in asked}
    ours = {re.sub(r"_(bucket|sum|count|total|created)$", "", name) for name in labels}
    left = {name for name in ours if name.startswith("promptreel_")} - stems
    assert left <= {"promptreel_media_files"}


def test_panels_do_not_overlap_and_have_their_own_ids():
    ids = [panel["id"] for panel in BOARD["panels"]]
    assert len(set(ids)) == len(ids)
    places = [
        (x, y)
        for panel in BOARD["panels"]
        for grid in [panel["gridPos"]]
        for x in range(grid["x"], grid["x"] + grid["w"])
        for y in range(grid["y"], grid["y"] + grid["h"])
    ]
    assert len(set(places)) == len(places)
    assert all(x < 24 for x, _ in places)
