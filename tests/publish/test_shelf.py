"""The folder of published pipelines: whole files, bounded, no way out of it, links not followed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from promptreel.publish.errors import ImportFailure
from promptreel.publish.manifest import PipelineError
from promptreel.publish.shelf import (
    LARGEST_GRAPH,
    LARGEST_MANIFEST,
    MOST,
    Broken,
    Shelf,
    Taken,
    Unknown,
    published,
)

from tests.fake_comfy import GRAPH
from tests.publish.given import MANIFEST


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(tmp_path / "promptreel" / "pipelines")


def _put(shelf: Shelf, name: str, *, again: bool = False, **more: object) -> None:
    shelf.put(name, {**MANIFEST, **more}, GRAPH, again=again)


def test_what_is_stored_is_found_again_and_removed(shelf: Shelf, tmp_path: Path):
    assert shelf.all() == []
    _put(shelf, "mine", title="Mine")
    (row,) = shelf.all()
    assert row.pipeline is not None
    assert (row.name, row.pipeline.title, row.error) == ("mine", "Mine", "")
    assert row.pipeline.graph == GRAPH
    place = tmp_path / "promptreel" / "pipelines"
    assert sorted(p.name for p in place.iterdir()) == ["mine"]
    assert sorted(p.name for p in (place / "mine").iterdir()) == ["graph.json", "pipeline.json"]
    shelf.remove("mine")
    assert list(place.iterdir()) == []
    with pytest.raises(Unknown):
        shelf.get("mine")
    with pytest.raises(Unknown):
        shelf.remove("mine")


def test_one_is_replaced_only_where_that_is_said(shelf: Shelf):
    _put(shelf, "mine", title="First")
    with pytest.raises(Taken, match="already"):
        _put(shelf, "mine")
    with pytest.raises(Taken, match="'mine'"):  # one folder on Windows and macOS
        _put(shelf, "Mine", again=True)
    _put(shelf, "mine", again=True, title="Second")
    stored = shelf.get("mine").pipeline
    assert stored is not None
    assert stored.title == "Second"


@pytest.mark.parametrize(
    "name",
    [
        "",
        ".",
        "..",
        "../x",
        "a/b",
        "a\\b",
        ".hidden",
        "a.",
        "con",
        "NUL.txt",
        "com1",
        "x" * 65,
        "a b",
        "a\0b",
        "-x",
        "a:b",
    ],
)
def test_names_that_are_no_folder_everywhere_are_refused(shelf: Shelf, tmp_path: Path, name: str):
    with pytest.raises(ImportFailure, match="name"):
        _put(shelf, name)
    assert list(tmp_path.rglob("*.json")) == []


@pytest.mark.parametrize("name", ["../../secret", "/etc", "..", ""])
def test_names_from_outside_are_just_unknown(shelf: Shelf, tmp_path: Path, name: str):
    _put(shelf, "mine")
    (tmp_path / "secret").mkdir()
    for ask in (shelf.get, shelf.remove):
        with pytest.raises(Unknown):
            ask(name)
    assert (tmp_path / "secret").is_dir()
    assert [row.name for row in shelf.all()] == ["mine"]


def test_no_more_than_so_many(shelf: Shelf, tmp_path: Path):
    place = tmp_path / "promptreel" / "pipelines"
    for number in range(MOST):
        (place / f"p{number}").mkdir(parents=True)
    with pytest.raises(ImportFailure, match="no more"):
        _put(shelf, "one-more")
    _put(shelf, "p0", again=True)


def test_what_is_too_large_is_not_stored(shelf: Shelf, tmp_path: Path):
    with pytest.raises(ImportFailure, match="too large"):
        _put(shelf, "mine", description="x" * LARGEST_MANIFEST)
    assert list(tmp_path.rglob("*.json")) == []
    with pytest.raises(PipelineError, match=r"graph\.json has more"):
        published("mine", b"{}", b" " * (LARGEST_GRAPH + 1))


def test_links_are_not_followed(shelf: Shelf, tmp_path: Path):
    _put(shelf, "mine")
    place, outside = tmp_path / "promptreel" / "pipelines", tmp_path / "outside"
    outside.mkdir()
    (outside / "graph.json").write_text(json.dumps(GRAPH))
    (outside / "pipeline.json").write_text(json.dumps(MANIFEST))
    (place / "linked").symlink_to(outside, target_is_directory=True)
    assert [row.name for row in shelf.all()] == ["mine"]
    with pytest.raises(Broken, match="link"):
        _put(shelf, "linked", again=True)
    (place / "mine" / "graph.json").unlink()
    (place / "mine" / "graph.json").symlink_to(outside / "graph.json")
    assert "link" in shelf.get("mine").error
    shelf.remove("mine")
    assert (outside / "graph.json").is_file()


def test_a_folder_that_is_a_link_takes_nothing(tmp_path: Path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "promptreel").symlink_to(tmp_path / "elsewhere", target_is_directory=True)
    with pytest.raises(Broken, match="promptreel is a link"):
        _put(Shelf(tmp_path / "promptreel" / "pipelines"), "mine")
    assert list((tmp_path / "elsewhere").iterdir()) == []


@pytest.mark.parametrize(
    ("file", "data", "why"),
    [
        ("graph.json", b"{", "no valid JSON"),
        ("graph.json", b"\xff\xfe", "not JSON"),
        ("graph.json", b'{"nodes": []}', "workflow of the editor"),
        ("graph.json", b"[" * 100_000, "nested too deeply"),
        ("graph.json", b'{"1": {"class_type": "A", "inputs": {"x": NaN}}}', "NaN"),
        ("pipeline.json", b"[]", "JSON object"),
        ("pipeline.json", b'{"evil": 1}', "unknown 'evil'"),
        ("pipeline.json", b'{"mapping": {"image": [["1", "nope"]]}}', "no such widget"),
    ],
)
def test_a_broken_one_says_why_and_harms_no_other(
    shelf: Shelf, tmp_path: Path, file: str, data: bytes, why: str
):
    _put(shelf, "good")
    _put(shelf, "bad")
    (tmp_path / "promptreel" / "pipelines" / "bad" / file).write_bytes(data)
    bad, good = shelf.all()
    assert bad.pipeline is None
    assert why in bad.error
    assert "/" not in bad.error
    assert good.pipeline is not None


def test_a_failed_write_leaves_the_old_one(shelf: Shelf, monkeypatch: pytest.MonkeyPatch):
    _put(shelf, "mine", title="First")
    with pytest.raises(ImportFailure, match="can't be used"):
        shelf.put("mine", {"title": "Second"}, GRAPH, again=True)  # nothing takes the picture
    stored = shelf.get("mine").pipeline
    assert stored is not None
    assert stored.title == "First"


def test_rank_of_a_published_one_counts_for_nothing(shelf: Shelf):
    _put(shelf, "mine", rank=1000)
    stored = shelf.get("mine").pipeline
    assert stored is not None
    assert stored.rank == 0
