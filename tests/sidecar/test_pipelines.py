"""Parameters checked, graphs bound: compared with whole golden graphs in tests/data/bound/."""

from __future__ import annotations

import copy
import json
from pathlib import Path

import pytest
from promptreel.engine import limits
from promptreel.engine.framing import ASPECTS, RESOLUTIONS
from promptreel.publish.params import COMMON, Param, WrongValue, is_value, parse

from sidecar.errors import BadRequest
from sidecar.manifest import bundled_folder, load_pipelines
from sidecar.pipelines import bind, check_params, find

DATA = Path(__file__).parents[1] / "data"
PIPELINES = load_pipelines([bundled_folder(), DATA / "pipelines"])
CAMERA = PIPELINES["camera-motion"]
HOSTILE = '"}}, "5": {"class_type": "X"} ["1", 0] %date% {{7*7}} \\u0022 \x00 \U0001f600 \u0437'


def golden(name: str) -> dict:
    return json.loads((DATA / "bound" / f"{name}.json").read_text(encoding="utf-8"))


def test_camera_motion_is_bound_as_its_golden_graph_says():
    raw = {"text": "pan left", "seconds": "2.5", "aspect": "9:16", "fps": "30", "seed": "7"}
    params = check_params(CAMERA, raw) | {"image": "promptreel/a.png"}
    assert bind(CAMERA, params) == golden("camera-motion")


def test_a_mapped_graph_is_bound_as_its_golden_graph_says():
    pipeline = PIPELINES["core-nodes"]
    params = check_params(pipeline, {"text": "x", "frames": "12"}) | {"image": "promptreel/b.jpg"}
    assert bind(pipeline, params) == golden("core-nodes")


def test_binding_is_pure():
    before = copy.deepcopy(dict(CAMERA.graph))
    params = {"text": "a", "image": "b"}
    assert bind(CAMERA, params) == bind(CAMERA, params)
    assert dict(CAMERA.graph) == before


def test_a_text_stays_in_its_widget_whatever_it_holds():
    usual = bind(CAMERA, {"text": "x", "image": "a"})
    bound = json.loads(json.dumps(bind(CAMERA, {"text": HOSTILE, "image": "a"})))
    assert bound["1"]["inputs"]["text"] == HOSTILE
    bound["1"]["inputs"]["text"] = "x"
    bound["5"]["inputs"]["filename_prefix"] = usual["5"]["inputs"]["filename_prefix"]
    assert bound == usual


def test_different_graphs_write_under_different_names_and_equal_ones_share_them():
    def prefix(text):
        return bind(CAMERA, {"text": text, "image": "a"})["5"]["inputs"]["filename_prefix"]

    assert prefix("x") == prefix("x") != prefix("y")
    assert prefix("x").startswith("promptreel/PromptReel_")


def test_what_is_absent_stays_as_the_graph_has_it():
    params = check_params(CAMERA, {"text": "x"})
    assert "seconds" not in params
    assert bind(CAMERA, params)["1"]["inputs"]["seconds"] == 0.0
    assert params == {
        "text": "x",
        "aspect": "source",
        "resolution": "720p",
        "fps": 24.0,
        "seed": 0,
        "negative": "",
    }


def test_values_are_typed():
    raw = {"seconds": " 2 ", "fps": "29.97", "seed": str(2**64 - 1), "negative": " fog "}
    params = check_params(CAMERA, raw)
    assert (params["seconds"], params["fps"]) == (2.0, 29.97)
    assert (params["seed"], params["negative"]) == (2**64 - 1, " fog ")


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("seconds", "0", "must be a number from 0.5 to 60"),
        ("seconds", "nan", "must be a number from 0.5 to 60"),
        ("seconds", "1e999", "must be a number from 0.5 to 60"),
        ("seconds", "1_0", "must be a number from 0.5 to 60"),
        ("seconds", "\u0665", "must be a number from 0.5 to 60"),
        ("seconds", "9" * 5000, "must be a number from 0.5 to 60"),
        ("seed", "1.5", "must be a whole number from 0 to 18446744073709551615"),
        ("seed", str(2**64), "must be a whole number from 0 to 18446744073709551615"),
        ("seed", "9" * 5000, "must be a whole number from 0 to 18446744073709551615"),
        ("aspect", "2:1", "must be one of source, 16:9, 9:16, 1:1, 4:3, 3:4"),
        ("resolution", "720P", "must be one of 480p, 720p, 1080p"),
        ("negative", "x" * 200_001, "must have at most 200000 characters"),
        ("width", "1", "is unknown to this pipeline"),
    ],
)
def test_a_wrong_value_names_its_limits(name, text, reason):
    with pytest.raises(BadRequest) as caught:
        check_params(CAMERA, {name: text})
    assert caught.value.fields == {name: reason}
    assert caught.value.error == f"{name} {reason}."


def test_everything_wrong_is_told_at_once():
    with pytest.raises(BadRequest) as caught:
        check_params(CAMERA, {"seconds": "x", "fps": "0", "seed": "1"})
    assert set(caught.value.fields) == {"seconds", "fps"}


@pytest.mark.parametrize(
    ("text", "value"),
    [("true", True), ("1", True), ("YES", True), ("false", False), ("0", False), ("no", False)],
)
def test_booleans(text, value):
    assert parse(Param("x", "boolean"), text) is value


def test_no_boolean():
    with pytest.raises(WrongValue, match="must be true or false"):
        parse(Param("x", "boolean"), "2")


def test_open_limits_are_told_as_such():
    for param, said in (
        (Param("x", "integer", minimum=1), "must be a whole number, at least 1"),
        (Param("x", "number", maximum=0.5), "must be a number, at most 0.5"),
        (Param("x", "number"), "must be a number"),
    ):
        with pytest.raises(WrongValue) as caught:
            parse(param, "?")
        assert str(caught.value) == said
    assert parse(Param("x", "string"), "any length") == "any length"


def test_a_json_value_is_checked_by_its_type():
    number = Param("x", "number", minimum=1)
    assert is_value(number, 1)
    assert not any(is_value(number, value) for value in (True, "1", None, 0.5))
    assert is_value(Param("x", "boolean"), False)


def test_the_common_limits_are_the_engines():
    common = {param.name: param for param in COMMON}
    seconds, fps = common["seconds"], common["fps"]
    assert (seconds.minimum, seconds.maximum) == (limits.MIN_SECONDS, limits.MAX_SECONDS)
    assert (fps.minimum, fps.maximum) == (limits.MIN_FPS, limits.MAX_FPS)
    assert common["aspect"].choices == ASPECTS
    assert common["resolution"].choices == RESOLUTIONS
    assert common["negative"].maximum == limits.MAX_TEXT


def test_an_unknown_pipeline_lists_the_known_ones():
    assert find(PIPELINES, "camera-motion") is CAMERA
    some = {name: PIPELINES[name] for name in ("camera-motion", "any-look")}
    with pytest.raises(BadRequest, match="known are camera-motion, any-look") as caught:
        find(some, "nope" * 100)
    assert len(caught.value.error) < 200
