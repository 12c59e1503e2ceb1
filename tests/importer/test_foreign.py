"""Image-to-video graphs of other people: what is found equals what a person sees in them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from promptreel.publish.errors import ImportFailure
from promptreel.publish.findings import Question, find_all, find_output

from sidecar.cli.program import main as promptreel
from sidecar.importer.places import read_settings
from sidecar.manifest import load_pipeline
from sidecar.pipelines import bind
from tests.importer.foreign import (
    EXPECTED,
    FOREIGN,
    expected,
    graph,
    mapped,
    of_kind,
    offered,
    record,
    view,
)

SURE = of_kind("")


@pytest.mark.parametrize("name", SURE)
def test_mapping_is_what_a_person_sees(name: str):
    seen = view(graph(name))
    output = find_output(seen, None)
    assert isinstance(output, str)
    found = find_all(seen, output, {})
    assert not found.questions
    assert mapped(found) == expected(name)


@pytest.mark.parametrize("name", of_kind("refused"))
def test_graph_without_a_picture_is_refused(name: str):
    seen = view(graph(name))
    output = find_output(seen, None)
    assert isinstance(output, str)
    with pytest.raises(ImportFailure, match=r"takes a picture: add a LoadImage .*--set image="):
        find_all(seen, output, {})


@pytest.mark.parametrize("name", of_kind("unsure"))
def test_what_may_be_read_in_two_ways_is_asked(name: str):
    row, seen = EXPECTED[name], view(graph(name))
    question = find_output(seen, None)
    if isinstance(question, str):
        (question,) = find_all(seen, question, {}).questions
    assert isinstance(question, Question)
    assert (question.name, offered(question)) == (row["unsure"], set(row["choices"].split()))


def test_an_answer_settles_it():
    name = "0.33.0/video_minimax_h3_r2v"
    seen = view(graph(name))
    given = read_settings(seen, ["image=137.image"]).mapping
    assert mapped(find_all(seen, "92", given)) == expected(name)


@pytest.mark.parametrize("name", SURE)
def test_written_pipeline_binds_what_is_asked(name: str, tmp_path: Path):
    file = tmp_path / "graph.json"
    file.write_text(json.dumps(graph(name)), encoding="utf-8")
    options = ["--pipelines-dir", str(tmp_path / "own"), "--name", "foreign", "--yes"]
    assert promptreel(["pipelines", "add", str(file), *options]) == 0
    pipeline = load_pipeline(tmp_path / "own" / "foreign")
    bound = bind(pipeline, {"image": "fox.png", "text": "a fox runs", "seed": 12345})
    for parameter, value in (("image", "fox.png"), ("text", "a fox runs"), ("seed", 12345)):
        for place in expected(name).get(parameter, ()):
            node, _, widget = place.partition(".")
            assert bound[node]["inputs"][widget] == value


def test_there_are_as_many_graphs_as_promised():
    kept = {
        path.relative_to(FOREIGN).with_suffix("").as_posix() for path in FOREIGN.glob("*/*.json")
    }
    assert kept == EXPECTED.keys()
    assert len(SURE) >= 60
    for name in EXPECTED:
        assert record(name)["graph"]


def test_both_uses_of_a_two_stage_graph_are_one_prompt():
    name = "by-hand/chain_sd15_to_wan22"
    changed = graph(name)
    changed["k6"]["inputs"]["text"] = "make the fox red"
    found = find_all(view(changed), "v56", {})
    assert mapped(found)["text"] == {"v6.text"}
