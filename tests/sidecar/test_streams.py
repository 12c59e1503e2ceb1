"""What a client is told of a job, in what order, and what it is told again when it comes back."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from sidecar.bus import Preview
from sidecar.http.streams import Story, read_id, told_all
from sidecar.jobs import Job, JobSpec
from sidecar.values import JobError, JobState, Progress

BASE = "http://reel.example"
QUEUED = Job(JobSpec("a", {"pipeline": "p"}), JobState.QUEUED)
RUNNING = replace(QUEUED, state=JobState.RUNNING, version=2)
HALF = replace(RUNNING, version=3, progress=Progress(0.5, "half"))
DONE = replace(
    HALF,
    state=JobState.SUCCEEDED,
    version=4,
    progress=Progress(1.0),
    result={"image": "a.png", "video": "a.mp4"},
)
FAILED = replace(HALF, state=JobState.FAILED, version=4, error=JobError("oops", "It broke."))


def events(data: bytes):
    found = []
    for block in data.decode().split("\n\n")[:-1]:
        fields = dict(line.split(": ", 1) for line in block.split("\n"))
        found.append((fields["event"], fields["id"], json.loads(fields["data"])))
    return found


def names(data: bytes):
    return [f"{name} {mark}" for name, mark, _ in events(data)]


def test_a_job_from_its_start_to_its_end():
    story = Story(BASE)
    assert names(story.take(QUEUED, 3)) == ["status 1.0", "progress 1.1"]
    assert names(story.take(QUEUED, 3)) == []
    assert [data["queuePosition"] for _, _, data in events(story.take(QUEUED, 2))] == [2]
    assert names(story.take(RUNNING, None)) == ["status 2.0"]
    assert names(story.take(HALF, None)) == ["progress 3.1"]
    assert names(story.preview(Preview(b"x"))) == ["preview 3.2.1"]
    assert names(story.preview(Preview(b"x"))) == ["preview 3.2.2"]
    end = events(story.take(DONE, None))
    assert [name for name, _, _ in end] == ["status", "progress", "result"]
    assert end[1][2]["value"] == 1
    assert end[2][2]["result"]["video"] == f"{BASE}/api/files/a.mp4"


def test_the_failed_end_says_why():
    (*_, (name, mark, data)) = events(Story(BASE).take(FAILED, None))
    assert (name, mark, data["status"], data["error"]["code"]) == (
        "result",
        "4.3",
        "failed",
        "oops",
    )


def test_an_older_state_that_comes_late_is_not_told():
    story = Story(BASE)
    story.take(HALF, None)
    assert story.take(RUNNING, None) == story.take(QUEUED, 0) == b""


@pytest.mark.parametrize(
    ("last", "told"),
    [
        ("", ["status 4.0", "progress 4.1", "result 4.3"]),
        ("3.1", ["status 4.0", "progress 4.1", "result 4.3"]),
        ("3.2.17", ["status 4.0", "progress 4.1", "result 4.3"]),
        ("4.0", ["progress 4.1", "result 4.3"]),
        ("4.1", ["result 4.3"]),
        ("4.3", []),
        ("5.0", []),
    ],
)
def test_who_comes_back_gets_what_follows(last, told):
    after = read_id(last)
    assert names(Story(BASE, after).take(DONE, None)) == told
    assert told_all(DONE, after) == (told == [])
    assert not told_all(HALF, after)


def test_who_comes_back_to_a_waiting_job_hears_its_place_again():
    assert names(Story(BASE, (1, 1)).take(QUEUED, 3)) == ["status 1.0"]


@pytest.mark.parametrize("text", ["x", "1", "1.9", "-1.0", "1.0.x", "9" * 40 + ".0", "1.0\n2.0"])
def test_an_id_that_is_none_of_ours_is_as_good_as_none(text):
    assert read_id(text) is None
