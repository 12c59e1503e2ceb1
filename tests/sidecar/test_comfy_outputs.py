"""Which files a prompt made, whatever key its save node uses."""

from __future__ import annotations

import pytest

from sidecar.comfy.client import FileRef
from sidecar.comfy.outputs import named_file, saved_file, suffix

VIDEOS = ("mp4", "webm")


def file(name, kind="output", subfolder=""):
    return {"filename": name, "subfolder": subfolder, "type": kind}


@pytest.mark.parametrize("key", ["images", "gifs", "videos", "video", "anything"])
def test_a_video_is_found_under_any_key(key):
    outputs = {"9": {key: [file("a.mp4", subfolder="video")], "animated": [True]}}
    assert saved_file(outputs, "9", VIDEOS) == FileRef("a.mp4", "video", "output")


def test_kept_files_before_temporary_ones_and_the_right_kind():
    made = [file("a.png"), file("p.mp4", "temp"), file("a.MP4"), file("b.mp4")]
    assert saved_file({"9": {"images": made}}, "9", VIDEOS) == FileRef("a.MP4")
    assert saved_file({"9": {"images": made[:2]}}, "9", VIDEOS) == FileRef("p.mp4", "", "temp")
    assert saved_file({"9": {"images": made[:1]}}, "9", VIDEOS) is None


@pytest.mark.parametrize(
    "outputs",
    [{}, {"9": None}, {"9": {"images": "x"}}, {"9": {"images": [1, {"filename": 2}, {}]}}],
)
def test_strange_outputs_hold_no_file(outputs):
    assert saved_file(outputs, "9", VIDEOS) is None
    assert named_file(outputs, "9", "video") is None


def test_the_result_nodes_record_names_each():
    outputs = {"5": {"promptreel": [{"image": file("a.png"), "video": file("a.mp4"), "fps": 24}]}}
    assert named_file(outputs, "5", "image") == FileRef("a.png")
    assert named_file(outputs, "5", "video") == FileRef("a.mp4")
    assert named_file(outputs, "5", "depth") is None


def test_a_windows_servers_subfolder_is_the_same_however_it_is_spelled():
    told = saved_file({"9": {"images": [file("a.mp4", subfolder="clips\\today")]}}, "9", VIDEOS)
    assert told == FileRef("a.mp4", "clips/today")
    assert hash(told) == hash(FileRef("a.mp4", "clips/today/"))
    assert told != FileRef("a.mp4", "clips")
    assert told is not None
    assert told.query()["subfolder"] == "clips\\today"  # asked for as the server spells it


def test_suffixes():
    assert [suffix(FileRef(name)) for name in ("a.JPEG", "b.tar.webm", "c")] == ["jpg", "webm", "c"]
