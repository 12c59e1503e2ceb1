"""Graphs with a trap: what decides are links, not order, titles or the first text box."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from promptreel.publish.errors import ImportFailure
from promptreel.publish.findings import Findings, Question, find_all, find_output
from promptreel.publish.knowledge import load_knowledge
from promptreel.publish.manifest_text import About, manifest
from promptreel.publish.requests import requested
from promptreel.publish.view import View

from sidecar.importer.places import read_settings
from sidecar.manifest import bundled_folder, read_pipeline
from tests.importer.foreign import graph, mapped, named, offered, view

WAN = "by-hand/wan21_i2v"


def node(kind: str, **inputs: Any) -> dict[str, Any]:
    return {"class_type": kind, "inputs": inputs}


def found(changed: dict[str, Any], *settings: str) -> Findings:
    seen = view(changed)
    output = find_output(seen, None)
    assert isinstance(output, str)
    return find_all(seen, output, read_settings(seen, settings).mapping)


def question(changed: dict[str, Any]) -> tuple[str, set[str]]:
    (asked,) = found(changed).questions
    return asked.name, offered(asked)


def test_negative_box_may_come_first():
    changed = graph(WAN)
    changed["50"]["inputs"].update(positive=["7", 0], negative=["6", 0])
    changed = {key: changed[key] for key in sorted(changed, reverse=True)}
    assert mapped(found(changed))["text"] == {"7.text"}
    assert mapped(found(changed))["negative"] == {"6.text"}


def test_outputs_of_a_conditioning_node_may_be_swapped():
    changed = graph(WAN)
    changed["3"]["inputs"].update(positive=["50", 1], negative=["50", 0])
    assert mapped(found(changed))["text"] == {"7.text"}


def test_conditioning_node_that_gives_a_model_first():
    changed = graph(WAN)
    changed["60"] = node("Unknown", model=["37", 0], positive=["50", 0], negative=["50", 1])
    changed["3"]["inputs"].update(model=["60", 0], positive=["60", 1], negative=["60", 2])
    assert mapped(found(changed))["text"] == {"6.text"}
    assert mapped(found(changed))["negative"] == {"7.text"}


def test_prompt_out_of_primitive_and_joined_strings():
    changed = graph(WAN)
    changed["6"]["inputs"]["text"] = ["70", 0]
    changed["70"] = node("StringConcatenate", string_a=["71", 0], string_b="", delimiter=", ")
    changed["71"] = node("PrimitiveStringMultiline", value="a fox runs")
    assert mapped(found(changed))["text"] == {"71.value"}


def test_two_joined_texts_are_for_a_person_to_choose():
    changed = graph(WAN)
    changed["6"]["inputs"]["text"] = ["70", 0]
    changed["70"] = node("StringConcatenate", string_a="film, 35 mm", string_b=["71", 0])
    changed["71"] = node("PrimitiveString", value="a fox runs")
    assert question(changed) == ("text", {"70.string_a", "71.value"})
    assert mapped(found(changed, "text=71.value"))["text"] == {"71.value"}


@pytest.mark.parametrize("name", ["string", "text"])
def test_parts_of_one_node_are_never_both_the_prompt(name: str):
    changed = graph(WAN)
    changed["6"]["inputs"]["text"] = ["70", 0]
    parts = {f"{name}_a": "film, 35 mm, ", f"{name}_b": "a fox runs"}
    changed["70"] = node("StringConcatenate", **parts, delimiter="")
    assert question(changed) == ("text", {f"70.{name}_a", f"70.{name}_b"})
    assert mapped(found(changed, f"text=70.{name}_b"))["text"] == {f"70.{name}_b"}
    changed["70"]["inputs"][f"{name}_a"] = "a fox runs"
    assert question(changed) == ("text", {f"70.{name}_a", f"70.{name}_b"})


@pytest.mark.parametrize(
    ("first", "second", "prompt"),
    [
        ("Style of the video: ", "a fox runs", "string_b"),
        ("a fox runs", ", 35 mm film", "string_a"),
        ("", "a fox runs", "string_b"),
    ],
)
def test_the_part_beside_a_clearly_fixed_one_is_the_prompt(first: str, second: str, prompt: str):
    changed = graph(WAN)
    changed["6"]["inputs"]["text"] = ["70", 0]
    changed["70"] = node("StringConcatenate", string_a=first, string_b=second, delimiter="")
    assert mapped(found(changed))["text"] == {f"70.{prompt}"}


def test_combined_conditionings_are_for_a_person_to_choose():
    changed = graph(WAN)
    changed["70"] = node("CLIPTextEncode", text="another", clip=["38", 0])
    changed["71"] = node("ConditioningCombine", conditioning_1=["6", 0], conditioning_2=["70", 0])
    changed["50"]["inputs"]["positive"] = ["71", 0]
    assert question(changed) == ("text", {"6.text", "70.text"})


def test_encoder_with_two_boxes_takes_one_text_in_both():
    changed = graph(WAN)
    changed["6"] = node(
        "CLIPTextEncodeFlux", clip=["38", 0], clip_l="fox", t5xxl="a fox", guidance=3.5
    )
    assert mapped(found(changed))["text"] == {"6.clip_l", "6.t5xxl"}


@pytest.mark.parametrize("zeroed", [True, False])
def test_a_shared_encoder_is_no_negative(zeroed: bool):
    changed = graph(WAN)
    changed["70"] = node("ConditioningZeroOut", conditioning=["6", 0])
    changed["50"]["inputs"]["negative"] = ["70" if zeroed else "6", 0]
    assert "negative" not in mapped(found(changed))


def test_an_emptied_encoder_of_its_own_is_no_negative():
    changed = graph(WAN)
    changed["70"] = node("ConditioningZeroOut", conditioning=["7", 0])
    changed["50"]["inputs"]["negative"] = ["70", 0]
    assert "negative" not in mapped(found(changed))


def test_text_box_that_feeds_something_else_is_not_the_prompt():
    changed = {"1": node("CLIPTextEncode", text="unused", clip=["38", 0]), **graph(WAN)}
    assert mapped(found(changed))["text"] == {"6.text"}


def test_unknown_text_node_is_asked_about():
    changed = graph(WAN)
    changed["6"] = node("Unknown", clip=["38", 0], words_a="a fox runs", words_b="in the snow")
    changed["7"] = node("ConditioningZeroOut", conditioning=["6", 0])
    assert question(changed) == ("text", {"6.words_a", "6.words_b"})


def test_switch_chooses_the_branch():
    changed = graph(WAN)
    changed["60"] = node("PrimitiveBoolean", value=True)
    changed["61"] = node("ComfySwitchNode", switch=["60", 0], on_false=["52", 0], on_true=["62", 0])
    changed["62"] = node("LoadImage", image="other.png")
    changed["50"]["inputs"]["start_image"] = ["61", 0]
    changed["51"]["inputs"]["image"] = ["61", 0]
    assert mapped(found(changed))["image"] == {"62.image"}
    changed["60"]["inputs"]["value"] = False
    assert mapped(found(changed))["image"] == {"52.image"}


def test_text_in_a_switch():
    changed = graph(WAN)
    changed["6"]["inputs"]["text"] = ["61", 0]
    changed["61"] = node("ComfySwitchNode", switch=False, on_false="a fox", on_true=["62", 0])
    changed["62"] = node("TextGenerate", prompt="a fox", clip=["38", 0])
    assert mapped(found(changed))["text"] == {"61.on_false"}


@pytest.mark.parametrize(
    "inputs",
    [
        {"end_image": ["62", 0]},
        {"control_video": ["62", 0]},
        {"clip_vision_end_image": ["62", 0]},
        {"reference_image": ["62", 0]},
        {"control_masks": ["62", 1]},
        {"anything": ["62", 1]},
    ],
)
def test_other_pictures_are_not_the_start(inputs: dict[str, Any]):
    changed = {"62": node("LoadImage", image="other.png"), **graph(WAN)}
    changed["50"]["inputs"].update(inputs)
    assert mapped(found(changed))["image"] == {"52.image"}
    assert any("other.png (62.image) stays" in note for note in found(changed).notes)


def test_first_of_a_row_of_pictures_is_the_start():
    changed = {"62": node("LoadImage", image="other.png"), **graph(WAN)}
    changed["63"] = node("ImageBatch", image2=["62", 0], image1=["52", 0])
    changed["50"]["inputs"]["start_image"] = ["63", 0]
    assert mapped(found(changed))["image"] == {"52.image"}


def test_two_start_images_are_asked_about():
    changed = graph(WAN)
    changed["62"] = node("LoadImage", image="other.png")
    changed["63"] = node("ImageBlend", foreground=["52", 0], other=["62", 0])
    changed["50"]["inputs"]["start_image"] = ["63", 0]
    del changed["50"]["inputs"]["clip_vision_output"]
    assert question(changed) == ("image", {"52.image", "62.image"})


def test_one_picture_loaded_twice_goes_to_both():
    changed = graph(WAN)
    changed["62"] = node("LoadImage", image=changed["52"]["inputs"]["image"])
    changed["63"] = node("ImageBlend", foreground=["52", 0], other=["62", 0])
    changed["50"]["inputs"]["start_image"] = ["63", 0]
    assert mapped(found(changed))["image"] == {"52.image", "62.image"}


def test_two_videos_are_asked_about():
    changed = graph(WAN)
    changed["57"] = node("SaveWEBM", images=["8", 0], fps=16.0)
    asked = find_output(view(changed), None)
    assert isinstance(asked, Question)
    assert offered(asked) == {"56", "57"}


def test_only_still_pictures_is_said():
    changed = graph(WAN)
    changed["56"] = node("SaveImage", images=["8", 0])
    with pytest.raises(
        ImportFailure, match="saves pictures, and no video: end it with CreateVideo"
    ):
        find_output(view(changed), None)


def test_output_of_an_unknown_class():
    changed = graph(WAN)
    changed["56"] = node("MySaver", images=["8", 0], frame_rate=16)
    assert mapped(found(changed))["video"] == {"56"}
    assert mapped(found(changed))["fps"] == {"56.frame_rate"}


def test_a_switched_off_sampler_seed_is_left_alone():
    changed = graph("by-hand/wan22_14b_i2v")
    assert mapped(found(changed))["seed"] == {"57.noise_seed"}
    changed["58"]["inputs"]["add_noise"] = "enable"
    assert mapped(found(changed))["seed"] == {"57.noise_seed", "58.noise_seed"}


def test_steps_of_one_sampler_that_does_all():
    changed = graph("by-hand/wan22_14b_i2v")
    changed["57"]["inputs"].update(start_at_step=0, end_at_step=10000)
    changed["8"]["inputs"]["samples"] = ["57", 0]
    assert mapped(found(changed))["steps"] == {"57.steps"}


@pytest.mark.parametrize(
    ("formula", "name"),
    [
        ("a * 16 + 1", "seconds"),
        ("floor(a * 24)", "seconds"),
        ("(a // 4) * 4 + 1", "frames"),
        ("max(5, a)", "frames"),
        ("a ** 2 + nonsense", "frames"),
    ],
)
def test_what_the_length_counts(formula: str, name: str):
    changed = graph(WAN)
    changed["50"]["inputs"]["length"] = ["60", 1]
    changed["60"] = node("ComfyMathExpression", expression=formula, **{"values.a": ["61", 0]})
    changed["61"] = node("PrimitiveFloat", value=5.0)
    assert mapped(found(changed))[name] == {"61.value"}


def test_seconds_end_where_the_formula_does():
    changed = graph(WAN)
    changed["50"]["inputs"]["length"] = ["60", 1]
    changed["60"] = node("ComfyMathExpression", expression="min(a * 16 + 1, 81)", **{"values.a": 3})
    result = found(changed)
    written = manifest(view(changed), result, [], About("x"))
    assert written["params"]["seconds"]["maximum"] == 5
    assert "fps" not in result.mapping  # the formula's 16 would not follow


def test_whole_numbers_are_told():
    changed = graph("0.33.0/video_ltx2_3_i2v")
    changed["320:276"]["inputs"]["noise_seed"] = ["320:301", 0]
    written = manifest(view(changed), found(changed), [], About("x"))
    assert written["params"]["seconds"] == {
        "minimum": 1,
        "help": "Length of the video; a whole number.",
    }
    assert written["params"]["fps"]["help"] == "Frames in a second; a whole number."
    assert written["params"]["seed"]["maximum"] == 2**63 - 1
    assert written["params"]["width"]["minimum"] == 16
    assert written["params"]["width"]["maximum"] == 16384


def test_two_lengths_that_differ_are_asked_about():
    changed = graph("by-hand/ltxv_i2v")
    changed["90"] = node(
        "LTXVEmptyLatentAudio", frames_number=33, frame_rate=7, audio_vae=["44", 2]
    )
    changed["91"] = node("LTXVConcatAVLatent", video_latent=["77", 2], audio_latent=["90", 0])
    changed["72"]["inputs"]["latent_image"] = ["91", 0]
    assert question(changed) == ("frames", {"77.length", "90.frames_number"})
    changed["90"]["inputs"]["frames_number"] = 9
    assert mapped(found(changed))["frames"] == {"77.length", "90.frames_number"}


def test_request_and_result_need_no_mapping():
    place = bundled_folder() / "camera-motion" / "graph.json"
    own = json.loads(place.read_text(encoding="utf-8"))
    seen = view(own)
    output = find_output(seen, None)
    assert isinstance(output, str)
    result = find_all(seen, output, requested(seen))
    written = manifest(seen, result, [], About("x"))
    assert not {"mapping", "outputs"} & written.keys()
    assert read_pipeline("x", written, own).mapping["image"]


def test_a_comfyui_knows_what_the_table_does_not():
    info = {
        "MyLoader": {"input": {"required": {"photo": [[], {"image_upload": True}]}}},
        "MyWords": {"input": {"required": {"phrase": ["STRING", {"multiline": True}]}}},
        "WanImageToVideo": {"input": {"required": {"length": ["INT", {"min": 1, "max": 161}]}}},
    }
    changed = graph(WAN)
    changed["52"] = node("MyLoader", photo="a.png")
    seen = View(changed, load_knowledge(info))
    result = find_all(seen, "56", {})
    assert named(result.mapping["image"]) == {"52.photo"}
    assert manifest(seen, result, [], About("x"))["params"]["frames"]["maximum"] == 161
    assert any("lacks the nodes CLIPLoader" in note for note in result.notes)


def test_output_names_of_a_comfyui_decide():
    changed = graph(WAN)
    info = {"WanImageToVideo": {"output_name": ["negative", "positive", "latent"]}}
    seen = View(changed, load_knowledge(info))
    assert named(find_all(seen, "56", {}).mapping["text"]) == {"7.text"}


def test_a_maze_is_left_soon():
    changed = graph(WAN)
    for number in range(400):
        link = [f"m{number + 1}", 0]
        inputs = {"values.a": link, "values.b": link, "expression": "a + b"}
        changed[f"m{number}"] = node("ComfyMathExpression", **inputs)
        changed[f"s{number}"] = node(
            "StringConcatenate", string_a=[f"s{number + 1}", 0], string_b=[f"s{number + 1}", 0]
        )
    changed["m400"] = node("PrimitiveInt", value=10**30)
    changed["s400"] = node("PrimitiveString", value="deep")
    changed["50"]["inputs"]["length"] = ["m0", 0]
    changed["6"]["inputs"]["text"] = ["s0", 0]
    started = time.monotonic()
    assert mapped(found(changed))["text"] == {"s400.value"}
    assert time.monotonic() - started < 5


def test_circles_end():
    changed = graph(WAN)
    changed["50"]["inputs"]["length"] = ["60", 0]
    changed["60"] = node("ComfyMathExpression", expression="a", **{"values.a": ["60", 0]})
    changed["6"]["inputs"]["text"] = ["61", 0]
    changed["61"] = node("StringTrim", string=["61", 0])
    changed["62"] = node("ComfySwitchNode", switch=["62", 0], on_false=["62", 0], on_true=["62", 0])
    changed["50"]["inputs"]["start_image"] = ["62", 0]
    assert "frames" not in mapped(found(changed, "text=", "image=52.image"))
