"""Graphs of PromptReel's own nodes: what their widgets mean, and the files that loaders name."""

from __future__ import annotations

import json
from typing import Any

import pytest
from promptreel.families import FAMILIES, KEYFRAMES
from promptreel.publish.findings import Findings, find_all
from promptreel.publish.manifest_text import About, manifest
from promptreel.publish.models import model_rows
from promptreel.publish.requests import idle, requested

from sidecar.manifest import bundled_folder, load_pipeline, read_pipeline
from tests.importer.foreign import KNOWLEDGE, mapped, view

FAST = "wan2.2-i2v-14b-fast"
OURS = sorted(
    place.parent.name
    for place in bundled_folder().glob("*/graph.json")
    if "PromptReelImageToVideo" in place.read_text(encoding="utf-8")
)
LOADERS = {one.node_id: one for one in (*FAMILIES.values(), *KEYFRAMES.values())}


def own(name: str = FAST) -> dict[str, Any]:
    return json.loads((bundled_folder() / name / "graph.json").read_text(encoding="utf-8"))


def by_hand(**widgets: Any) -> dict[str, Any]:
    """The fast pipeline with frame, length and rate in Image to Video's own widgets."""
    graph = own()
    graph["4"]["inputs"].update(width=832, height=480, seconds=5.0, fps=16.0, **widgets)
    return graph


def found(graph: dict[str, Any]) -> Findings:
    seen = view(graph)
    return find_all(seen, "5", requested(seen))


def test_what_comes_of_nothing_is_looked_for_elsewhere():
    graph = by_hand()
    assert {*idle(view(graph))} == {"seconds", "fps", "aspect", "resolution"}
    result = mapped(found(graph))
    assert result["seconds"] == {"4.seconds"}
    assert result["fps"] == {"4.fps"}
    assert not {"aspect", "resolution"} & result.keys()
    assert result["seed"] == {"1.seed"}


def test_what_comes_of_nothing_at_all_is_told():
    (note,) = found(by_hand()).notes
    assert note == "Nothing comes of the Request's aspect, resolution: no link leads from it."
    assert not found(own()).notes


def test_links_of_a_request_need_no_mapping():
    assert not idle(view(own()))
    assert mapped(found(own()))["seconds"] == {"1.seconds"}


def test_a_seed_that_is_not_linked_is_image_to_videos():
    assert mapped(found(by_hand(seed=3)))["seed"] == {"4.seed"}


def test_the_pipeline_reads_the_widgets_that_count():
    graph = by_hand()
    seen = view(graph)
    made = read_pipeline("x", manifest(seen, found(graph), [], About("x")), graph)
    defaults = {param.name: param.default for param in made.params}
    assert (defaults["seconds"], defaults["fps"]) == (5.0, 16.0)


def test_steps_are_those_that_the_node_takes():
    graph = own()
    row = manifest(view(graph), found(graph), [], About("x"))["params"]["steps"]
    assert (row["minimum"], row["maximum"]) == (1, 200)


def test_the_table_knows_each_loaders_files():
    table, switched = KNOWLEDGE.table["model_files"], KNOWLEDGE.table["only_with"]
    assert {name for name in table if name.startswith("PromptReel")} == LOADERS.keys()
    for name, model in LOADERS.items():
        assert table[name] == {slot.role: slot.folder for slot in model.slots}
        optional = {slot.role: "fast" for slot in model.slots if slot.optional}
        assert switched.get(name, {}) == optional


@pytest.mark.parametrize("name", OURS)
def test_files_are_those_of_our_pipelines(name: str):
    rows = {(row["name"], row["folder"]) for row in model_rows(view(own(name)), [])}
    told = {(file.name, file.folder) for file in load_pipeline(bundled_folder() / name).models}
    assert rows == told


def test_a_lora_is_a_file_only_where_fast_is_on():
    graph = own()
    for value, count in ((True, 6), (["9", 0], 6), (False, 4)):
        graph["3"]["inputs"]["fast"] = value
        assert len(model_rows(view(graph), [])) == count
    graph["3"]["inputs"].update(fast=True, low_noise_lora="none", vae="missing: a (1 GB) to vae")
    assert len(model_rows(view(graph), [])) == 4
