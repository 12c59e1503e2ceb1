"""Nothing that a client sends becomes a node, a class, a link, a prompt's key or a path.

Every pipeline x every field x hostile values, from the texts of a request to the bound graph.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from promptreel.publish.graphs import is_link

from sidecar.errors import BadRequest
from sidecar.manifest import bundled_folder, load_pipelines
from sidecar.orders import FIELDS
from sidecar.pipelines import Pipeline, bind, check_params
from tests.service import refusal
from tests.sidecar.jobs_http import QUICK

DATA = Path(__file__).parents[1] / "data"
PIPELINES = load_pipelines([bundled_folder(), DATA / "pipelines"])
IMAGE = "promptreel/0123456789abcdef.png"
HOSTILE = (
    '["1", 0]',
    '{"class_type": "LoadImage", "inputs": {"image": "/etc/passwd"}}',
    '"}}, "99": {"class_type": "X", "inputs": {}}, "1": {"inputs": {"text": "',
    "../../../etc/passwd",
    "..\\..\\secret.safetensors",
    "/etc/passwd",
    "C:\\Windows\\win.ini",
    "\\\\host\\share\\x",
    "file:///etc/passwd",
    "%date:yyyy-MM-dd% %KSampler.seed%",
    "{{7*7}} ${HOME} $(id) `id` <lora:x:1> embedding:../x",
    "__class__ __import__('os').system('id')",
    "<script>alert(1)</script>",
    "1e309",
    "-0",
    "0x10",
    "nan",
    "true",
    "null",
    "[]",
    "\u0661\u0662",
    "\x00\x1b[31m\r\n\u202e",
    "x" * 5000,
)


def fields_of(pipeline: Pipeline) -> list[str]:
    return ["text", *(param.name for param in pipeline.params)]


def shape(graph: dict, pipeline: Pipeline) -> dict:
    """Return a graph without the values of the widgets that a request may fill."""
    filled = {(slot.node, slot.input) for slots in pipeline.mapping.values() for slot in slots}
    ours = {(node, "filename_prefix") for node in (pipeline.video_output, pipeline.image_output)}
    return {
        number: {
            **node,
            "inputs": {
                name: "*" if (number, name) in filled | ours else value
                for name, value in node["inputs"].items()
            },
        }
        for number, node in graph.items()
    }


def links(graph: dict) -> set[tuple]:
    return {
        (number, name, *value)
        for number, node in graph.items()
        for name, value in node["inputs"].items()
        if is_link(value)
    }


def check(pipeline: Pipeline, raw: dict[str, str]) -> bool:
    """Bind, if the texts are accepted at all; whether they were."""
    try:
        params = check_params(pipeline, raw)
    except BadRequest:
        return False
    bound = bind(pipeline, {**params, "image": IMAGE})
    assert json.loads(json.dumps(bound)) == bound, "it is plain JSON, whatever it holds"
    original = dict(pipeline.graph)
    assert shape(bound, pipeline) == shape(original, pipeline)
    assert links(bound) == links(original)
    for node, inputs in ((key, bound[key]["inputs"]) for key in bound):
        for name, value in inputs.items():
            before = original[node]["inputs"][name]
            if isinstance(before, str | bool) and not is_link(before):
                assert isinstance(value, str | bool | int | float)
            if name == "filename_prefix" and isinstance(before, str):
                assert isinstance(value, str)
                assert value.startswith(before), "where files go is the operator's"
                assert set(value[len(before) :]) <= set("_g0123456789abcdef")
    for slot in pipeline.mapping.get("image", ()):
        assert bound[slot.node]["inputs"][slot.input] == IMAGE
    return True


@pytest.mark.parametrize("name", PIPELINES)
def test_a_field_fills_its_widget_and_nothing_else(name: str):
    pipeline = PIPELINES[name]
    for field in fields_of(pipeline):
        for value in HOSTILE:
            check(pipeline, {"text": "zoom in", field: value})
    for value in HOSTILE:
        assert check(pipeline, {"text": value}), "a text may hold anything"


@pytest.mark.parametrize("name", PIPELINES)
def test_a_field_that_is_no_parameter_is_refused_whatever_it_is_called(name: str):
    pipeline = PIPELINES[name]
    some = next(iter(pipeline.graph))
    for field in (some, f"{some}.class_type", "class_type", "prompt", "client_id", "__proto__"):
        with pytest.raises(BadRequest):
            check_params(pipeline, {"text": "x", field: "y"})


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_whatever_the_values_are(data):
    pipeline = PIPELINES[data.draw(st.sampled_from(sorted(PIPELINES)))]
    names = st.sampled_from(fields_of(pipeline))
    texts = st.one_of(st.text(max_size=60), st.sampled_from(HOSTILE), st.integers().map(str))
    check(pipeline, {"text": "x", **data.draw(st.dictionaries(names, texts, max_size=6))})


@pytest.mark.parametrize("value", HOSTILE)
async def test_the_other_fields_name_only_what_is_known(generate, upload, value):
    url = await upload()
    for field in set(FIELDS) - {"text"}:
        given_fields = {**QUICK, "imageUrl": url, field: value}
        body = await refusal(await generate(**given_fields))
        assert body["code"] not in ("internal_error", "generation_failed")
        assert len(body["error"]) < 1500


def test_the_check_sees_what_it_is_for():
    """A binding that let a value become a link, a class or a node would be noticed."""
    pipeline = PIPELINES["camera-motion"]
    good = dict(pipeline.graph)
    number = next(iter(good))
    widget = next(name for name, value in good[number]["inputs"].items() if not is_link(value))
    for bad in (
        {**good, "99": {"class_type": "X", "inputs": {}}},
        {**good, number: {**good[number], "class_type": "X"}},
        {**good, number: {**good[number], "inputs": {**good[number]["inputs"], "x": 1}}},
    ):
        assert shape(bad, pipeline) != shape(good, pipeline)
    linked = {**good[number], "inputs": {**good[number]["inputs"], widget: ["1", 0]}}
    assert links({**good, number: linked}) != links(good)
