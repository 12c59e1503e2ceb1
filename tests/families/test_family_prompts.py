from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from official_graphs import Graph, official
from promptreel.engine import lexicon
from promptreel.families import FAMILIES, KEYFRAMES, Model
from promptreel.families import prompts as prompts_module
from promptreel.families.base import STRENGTHS
from promptreel.families.prompts import language, speak, understands

MODELS: dict[str, Model] = {**FAMILIES, **KEYFRAMES}
FOLDER = Path(prompts_module.__file__).with_name("data") / "prompts"
KINDS = {*lexicon.vocabulary("moves"), "static"}
LOOKS = set(lexicon.vocabulary("looks"))
WAN = FAMILIES["wan2.2-i2v-14b"]
LTX = FAMILIES["ltx-video"]


def _data(name: str) -> dict[str, Any]:
    return json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))


def test_every_file_is_used():
    used = {model.prompts for model in MODELS.values()} | {"speech", "looks"}
    assert {path.stem for path in FOLDER.glob("*.json")} == used


@pytest.mark.parametrize("family", FAMILIES.values(), ids=FAMILIES)
def test_a_family_speaks_of_every_move(family: Model):
    said = _data(family.prompts)
    for code in family.speaks:
        assert set(said[code]["moves"]) == KINDS


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
def test_a_file_has_the_family_languages(model: Model):
    said = _data(model.prompts)
    assert set(model.speaks) <= set(said) & set(_data("speech"))
    assert said["source"]


def test_every_look_has_its_words():
    rows = _data("looks")
    assert set(rows) == LOOKS
    assert all(row["en"] and row["ru"] for row in rows.values())


@pytest.mark.parametrize("family", [f for f in FAMILIES.values() if f.speaks], ids=lambda f: f.id)
@pytest.mark.parametrize("words", ["A fox runs", "Лиса бежит"])
def test_moves_are_told_apart(family: Model, words: str):
    told = {kind: speak(family, words, [[(kind, 1.0)]]).positive for kind in KINDS}
    assert len(set(told.values())) == len(KINDS)
    assert all(text.startswith(f"{words}. ") and text.endswith(".") for text in told.values())


NEGATIVES = {
    "wan2.1-i2v": "wan2.1-i2v",
    "wan2.2-i2v-14b": "wan2.2-i2v-14b",
    "wan2.2-ti2v-5b": "wan2.2-ti2v-5b",
    "ltx-video": "ltx-video",
    "hunyuan-video-1.5": "hunyuan-video-1.5",
    "cosmos-predict2": "cosmos-predict2",
    "sd15-img2img": "sd",
    "qwen-edit-2509": "qwen-edit-2509",
}


@pytest.mark.parametrize("name", NEGATIVES)
def test_the_negative_prompt_is_the_official_one(name: str):
    graph = official(name)
    assert speak(MODELS[NEGATIVES[name]], "A fox").negative == _negative(graph)


def _negative(graph: Graph) -> str:
    node = next(
        n for n in graph.nodes.values() if "negative" in n["inputs"] and "cfg" in n["inputs"]
    )
    while "text" not in node["inputs"] and "prompt" not in node["inputs"]:
        node = graph.follow(node["inputs"]["negative"])
    return node["inputs"].get("text", node["inputs"].get("prompt"))


@pytest.mark.parametrize(
    ("strength", "said"),
    [
        (0.1, "very slowly pushes in"),
        (0.35, "very slowly pushes in"),
        (0.6, "slowly pushes in"),
        (1.0, "The camera pushes in"),
        (1.7, "quickly pushes in"),
        (2.2, "very quickly pushes in"),
        (3.0, "very quickly pushes in"),
        (1e9, "very quickly pushes in"),
    ],
)
def test_strength_is_an_adverb(strength: float, said: str):
    text = speak(WAN, "A fox", [[("dolly_in", strength)]]).positive
    assert said in text
    assert ("very" in text) == ("very" in said)


def test_moves_looks_and_negative_are_joined():
    shots = [[("dolly_in", 0.6), ("pan_left", 0.6)], [], [("handheld", 0.3)]]
    spoken = speak(LTX, " A fox runs, ", shots, ["night", "fog"], " text ")
    assert spoken.positive == (
        "A fox runs. The camera slowly dollies forward toward the subject and pans left, "
        "then remains stationary, then is handheld, with slight natural shake. "
        "Night, dark sky, fog."
    )
    assert spoken.negative.endswith("weird hand, ugly, text")


@pytest.mark.parametrize(
    ("words", "looks", "said"),
    [
        ("a lighthouse at sunset", ["sunset"], "a lighthouse at sunset. Golden light."),
        ("black and white photo", ["black_and_white"], "black and white photo."),
        ("let it snow", ["snow"], "let it snow."),
        ("город ночью", ["night"], "город ночью. Тёмное небо."),
        ("a foggy noir street", ["noir", "fog"], "a foggy noir street. Hard shadows."),
    ],
)
def test_a_look_that_the_words_name_is_not_named_again(words: str, looks: list[str], said: str):
    assert speak(WAN, words, looks=looks, named=looks).positive == said


def test_a_look_is_named_where_its_words_are_not_understood():
    spoken = speak(LTX, "город ночью", looks=["night"], named=["night"])
    assert spoken.positive == "город ночью. Night, dark sky."


def test_russian_is_kept_where_the_encoder_knows_it():
    shots = [[("orbit_left", 0.6)]]
    assert speak(WAN, "Лиса бежит", shots, ["fog"]).positive == (
        "Лиса бежит. Камера медленно облетает объект влево. Туман."
    )
    assert speak(LTX, "Лиса бежит", shots, ["fog"]).positive == (
        "Лиса бежит. The camera slowly circles around the subject to the left. Fog."
    )
    assert (language(WAN, "Лиса"), language(LTX, "Лиса"), language(WAN, "Fox")) == (
        "ru",
        "en",
        "en",
    )
    assert (understands(WAN, "Лиса"), understands(LTX, "Лиса")) == (True, False)
    assert understands(LTX, "Fox")
    assert understands(LTX, "  ")


def test_no_shot_says_nothing_about_the_camera():
    assert speak(WAN, "A fox runs!").positive == "A fox runs!"
    assert (
        speak(WAN, "A fox runs", [[]]).positive
        == "A fox runs. The camera stays fixed, static shot."
    )


def test_no_words_leave_the_camera():
    assert speak(WAN, "  ", [[("tilt_up", 1)]]).positive == "The camera tilts up."


def test_svd_takes_no_words():
    spoken = speak(FAMILIES["svd"], "A fox", [[("tilt_up", 1)]], ["fog"], "text")
    assert (spoken.positive, spoken.negative) == ("", "")


@pytest.mark.parametrize("family", KEYFRAMES.values(), ids=KEYFRAMES)
def test_a_still_has_no_camera(family: Model):
    spoken = speak(family, "Make it night", [[("tilt_up", 1)]], ["fog"])
    assert spoken.positive == "Make it night. Fog."


@pytest.mark.parametrize("name", ["qwen-edit-2509", "flux-kontext"])
def test_an_edit_model_is_told_what_stays(name: str):
    told = [speak(KEYFRAMES[name], "Make it night", strength=word).positive for word in STRENGTHS]
    assert "exactly the same" in told[0]
    assert told[-1] == "Make it night."
    assert len(set(told)) == len(STRENGTHS)


def test_an_edit_model_is_told_in_russian():
    told = speak(KEYFRAMES["qwen-edit-2509"], "Сделай ночь", strength="retouch").positive
    assert told == "Сделай ночь. Композицию, объекты и их места оставить прежними."


@pytest.mark.parametrize("family", KEYFRAMES.values(), ids=KEYFRAMES)
def test_strengths_rise(family: Any):
    assert tuple(family.strengths) == STRENGTHS
    values = list(family.strengths.values())
    assert values == sorted(values)
    assert all(0 < value <= 1 for value in values)


MOVES = st.tuples(st.sampled_from(sorted(KINDS)), st.floats(0.1, 3))


@given(
    st.sampled_from(list(MODELS.values())),
    st.text(max_size=40),
    st.lists(st.lists(MOVES, max_size=4), max_size=4),
    st.lists(st.sampled_from(sorted(LOOKS)), max_size=3),
)
def test_any_scene_can_be_spoken(model: Model, words: str, shots: Any, looks: Any):
    text = speak(model, words, shots, looks).positive
    assert text == text.strip() or words.strip() in text
    if model.speaks:
        assert words.strip().rstrip(",;") in text
    assert "{" not in text.replace(words.strip(), "")
