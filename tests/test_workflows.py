"""Our model pipelines say what the families say: files, nodes, limits; and so do the examples.

What they make is told by `tests/e2e/test_workflows_sidecar.py`.
"""

from __future__ import annotations

import json
import re
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from promptreel.families import FAMILIES, KEYFRAMES
from promptreel.families.base import Drawing, Family, KeyframeFamily, Limits, Options, Shoot
from promptreel.families.models import model_files
from promptreel.families.plain import PlainGraph
from promptreel.families.take import Chosen, Wish, extent

from sidecar.backends.stock import Inventory, lacks
from sidecar.manifest import bundled_folder, load_pipelines
from sidecar.pipelines import Pipeline

ROOT = Path(__file__).parents[1]
EXAMPLES = ROOT / "custom_nodes" / "promptreel" / "example_workflows"
LOADERS = {model.node_id: model for model in (*FAMILIES.values(), *KEYFRAMES.values())}
MAKER = "PromptReelImageToVideo"
AROUND = {"ImageScale", "CreateVideo"}  # what the pack's nodes add to a family's own graph
OUTSIDE = ["outside", 0]
OURS = {
    "wan2.2-i2v-14b-fast",
    "wan2.2-i2v-14b",
    "hunyuan-video-1.5",
    "wan2.2-ti2v-5b",
    "wan2.1-i2v",
    "ltx-video",
    "cosmos-predict2",
    "svd",
    "sdxl-to-wan2.2",
    "qwen-edit-to-wan2.2",
}
each = pytest.mark.parametrize("name", sorted(OURS))


@cache
def pipelines() -> dict[str, Pipeline]:
    return load_pipelines([bundled_folder()])


def node(name: str, kind: str) -> dict[str, Any]:
    """The inputs of the one node of a class."""
    (found,) = (n for n in pipelines()[name].graph.values() if n["class_type"] == kind)
    return found["inputs"]


def loaders(name: str) -> list[tuple[Family | KeyframeFamily, Chosen]]:
    """The families of a pipeline, each with what its loader is set to."""
    found = []
    for loader in pipelines()[name].graph.values():
        family = LOADERS.get(loader["class_type"])
        if family:
            inputs = loader["inputs"]
            options = Options(inputs.get("weight_dtype", "default"), inputs.get("fast", False))
            roles = [slot.role for slot in family.slots]
            files = {role: inputs[role] for role in roles if inputs[role] != "none"}
            found.append((family, Chosen(family.id, files, options)))
    return found


def video(name: str) -> tuple[Family, Chosen, Limits]:
    """The video family of a pipeline, what is chosen, and its limits."""
    ((family, chosen),) = (one for one in loaders(name) if isinstance(one[0], Family))
    assert isinstance(family, Family)
    return family, chosen, family.limits(chosen.files, chosen.options)


def test_every_family_and_no_other_has_its_pipelines():
    made = {name for name, ours in pipelines().items() if MAKER in ours.nodes}
    assert made == OURS
    assert {video(name)[0].id for name in OURS} == FAMILIES.keys()


@each
def test_loaders_name_the_first_official_file_of_every_slot_that_is_needed(name: str):
    for family, chosen in loaders(name):
        needed = {slot.role: slot.official[0].name for slot in family.needed(chosen.options)}
        assert chosen.files == needed
        family.load(PlainGraph(), chosen.files, chosen.options)


@each
def test_models_are_the_families_own_rows(name: str):
    files = [file for _, chosen in loaders(name) for file in chosen.files.values()]
    known = [model_files()[file] for file in dict.fromkeys(files)]
    rows = [{key: value for key, value in asdict(file).items() if value} for file in known]
    assert manifest(name)["models"] == rows


@each
def test_nodes_are_those_that_the_graph_becomes(name: str):
    assert set(manifest(name)["nodes"]) == expansion(name) | AROUND
    assert manifest(name)["nodes"] == sorted(manifest(name)["nodes"])


def expansion(name: str) -> set[str]:
    """The core node classes of the families' own graphs."""
    graph = PlainGraph()
    for family, chosen in loaders(name):
        parts = family.load(graph, chosen.files, chosen.options)
        sampling = family.sampling(chosen.files, chosen.options)
        common: dict[str, Any] = {"width": 64, "height": 64, "seed": 0, "sampling": sampling}
        if isinstance(family, Family):
            asked = Shoot("", "", frames=9, fps=16.0, start=OUTSIDE, **common)
            family.shoot(graph, parts, asked)
        else:
            family.draw(graph, parts, Drawing("", "", strength=0.5, image=OUTSIDE, **common))
    return {made["class_type"] for made in graph.nodes.values()}


def manifest(name: str) -> dict[str, Any]:
    return json.loads((bundled_folder() / name / "pipeline.json").read_text(encoding="utf-8"))


@each
def test_defaults_are_the_models_own_and_parameters_stay_within_its_limits(name: str):
    ours, (family, _, limits) = pipelines()[name], video(name)
    params = {param.name: param for param in ours.params}
    assert params["fps"].default == limits.fps
    longest = params["seconds"].maximum
    assert longest
    # the longest that may be asked is made to the frame; a little more is not possible
    assert abs(limits.frames(longest) - longest * limits.fps) <= limits.frame_step / 2 + 1
    assert limits.frames(longest + 0.5) == limits.frames(60)
    sizes = {"480p": (854, 480), "720p": (1280, 720)}
    assert params["resolution"].choices == tuple(sizes)
    near = {word: area(extent(limits, Wish((1, 1), *size))) for word, size in sizes.items()}
    own = area(limits.extent)
    assert params["resolution"].default == min(near, key=lambda word: abs(near[word] - own))
    assert family.title.split()[0] in ours.title


def area(size: tuple[int, int]) -> int:
    return size[0] * size[1]


@each
def test_steps_and_guidance_are_told_as_they_are(name: str):
    family, chosen, _ = video(name)
    sampling = family.sampling(chosen.files, chosen.options)
    params = {param.name: param for param in pipelines()[name].params}
    assert params["steps"].default == 0
    assert params["steps"].help.endswith(f"the model's own {sampling.steps}.")
    assert ("cfg" in params) is (sampling.cfg != 1)  # without guidance nothing is to be set
    if "cfg" in params:
        assert params["cfg"].default == 0
        assert params["cfg"].help.endswith(f"the model's own {sampling.cfg:g}.")
    stills = [family for family, _ in loaders(name) if isinstance(family, KeyframeFamily)]
    for still in stills:
        assert params["strength"].choices == tuple(still.strengths)


@each
def test_a_negative_text_that_nothing_reads_is_told(name: str):
    found = loaders(name)
    guided = [one for one, chosen in found if one.sampling(chosen.files, chosen.options).cfg != 1]
    told = "A negative text has no effect" in pipelines()[name].description
    assert told == (not guided)


@each
def test_an_old_comfyui_is_refused_with_the_nodes_it_lacks(name: str):
    ours = pipelines()[name]
    there = {file.folder: frozenset([file.name]) for file in ours.models}
    for file in ours.models:
        there[file.folder] |= {file.name}
    everything = frozenset(ours.nodes)
    assert not lacks(ours, Inventory("0.3.75", everything, there))
    special = expansion(name) - {"UNETLoader", "VAELoader"}
    missing = lacks(ours, Inventory("0.3.75", everything - special, there))
    assert (set(missing.nodes), missing.models) == (special, ())
    assert lacks(ours, Inventory("0.3.63", everything, there)).version


def test_ranks_are_those_of_the_readme():
    page = (bundled_folder() / "README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (\d+) \| (`.*?`) \|", page, re.MULTILINE)
    told = {name: int(rank) for rank, names in rows for name in re.findall(r"`(.+?)`", names)}
    assert told == {name: ours.rank for name, ours in pipelines().items()}


@each
def test_the_example_offers_the_same_models_and_has_the_same_nodes(name: str):
    example = json.loads((EXAMPLES / f"{name}.json").read_text(encoding="utf-8"))
    graph = pipelines()[name].graph
    kinds = {str(node["id"]): node["type"] for node in example["nodes"]}
    assert kinds == {number: node["class_type"] for number, node in graph.items()}
    offered = [row for node in example["nodes"] for row in node["properties"].get("models", [])]
    rows = {(row["name"], row["url"], row["directory"]) for row in offered}
    assert len(rows) == len(offered)
    assert rows == {(file.name, file.source, file.folder) for file in pipelines()[name].models}
