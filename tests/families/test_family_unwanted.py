"""What a text says must not be seen goes from the positive text into the negative one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from promptreel.families import FAMILIES, KEYFRAMES
from promptreel.families.prompts import speak
from promptreel.families.unwanted import divide


@pytest.mark.parametrize(
    ("text", "kept", "unwanted"),
    [
        ("a street, no people", "a street", "people"),
        ("A street. No people.", "A street.", "people"),
        ("no people, a street", "a street", "people"),
        ("No text, no watermark, a bird", "a bird", "watermark, text"),
        ("a forest without cars in autumn", "a forest in autumn", "cars"),
        ("a beach with no people or cars at dusk", "a beach at dusk", "people, cars"),
        ("there are no people, rain", "rain", "people"),
        ("город ночью без людей", "город ночью", "людей"),
        ("Старый дом, никаких машин и людей, закат", "Старый дом, закат", "машин, людей"),
        ("лес, без водяных знаков", "лес", "водяных знаков"),
        ("no people", "no people", "people"),  # an empty prompt would say nothing at all
    ],
)
def test_what_must_not_be_seen_is_taken_out(text: str, kept: str, unwanted: str):
    assert divide(text) == (kept, unwanted)


@pytest.mark.parametrize(
    "text",
    [
        "a road without end",
        "a cat sits without moving",
        "no one is there, a room",
        "no camera movement, a cat",
        "дорога без конца",
        "облака плывут без остановки",
        "a piano, notes",
        "nobody walks",
        "a sign that says wait... no, stop! a dog",
        "a man with no hat walks",
        "без движения, кот",
    ],
)
def test_what_is_no_such_wish_stays(text: str):
    assert divide(text) == (text, "")


@given(st.text(max_size=80))
def test_any_text_can_be_divided(text: str):
    kept, unwanted = divide(text)
    assert unwanted or kept == text
    assert kept.strip() or not text.strip()


def test_it_joins_the_official_and_the_own_negative():
    spoken = speak(FAMILIES["ltx-video"], "a street, no people", negative="text")
    assert spoken.positive == "a street."
    assert spoken.negative.endswith("weird hand, ugly, text, people")
    assert spoken.unwanted == "people"


@pytest.mark.parametrize("name", ["qwen-edit-2509", "flux-kontext"])
def test_an_edit_model_reads_it_as_what_to_do(name: str):
    spoken = speak(KEYFRAMES[name], "a street, no people", negative="text")
    assert (spoken.positive, spoken.negative) == ("a street, no people.", "text")
