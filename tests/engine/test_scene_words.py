"""Every row of the vocabulary can be said, and means what its row says."""

from __future__ import annotations

from itertools import chain
from typing import Any

import pytest
from phrasebook import forms
from promptreel.engine.describe import describe
from promptreel.engine.durations import find_durations
from promptreel.engine.lexicon import fold, vocabulary
from promptreel.engine.look import LOOKS
from promptreel.engine.look_words import find_looks, looks
from promptreel.engine.scene import parse_scene
from promptreel.engine.tokens import DIRECTIONS, Token, actions, cut, speeds, words

SCANNED = ("camera", "rig", "frame", "not_camera", "negation", "opening", "together", *DIRECTIONS)
ROLES = (
    "filler", "join", "pair", "relative", "or", "preposition", "wide_preposition", "determiner",
    "pronoun",
)  # fmt: skip
ACTIONS = [pytest.param(i, row, id=row["action"]) for i, row in enumerate(actions())]


def tokens(text: str) -> list[Token]:
    return [token for part in cut(fold(text)) for token in part.tokens]


def said(patterns: list[str]) -> list[str]:
    return list(chain.from_iterable(map(forms, patterns)))


def misread(patterns: list[str], kind: str, key: str) -> list[str]:
    """Return what the scanner doesn't take as one token of that kind and key."""
    found = ((text, tokens(text)) for text in said(patterns))
    return [text for text, all_ in found if [(t.kind, t.key) for t in all_] != [(kind, key)]]


@pytest.mark.parametrize(("number", "row"), ACTIONS)
def test_action_is_found_in_all_its_forms(number: int, row: dict[str, Any]) -> None:
    assert misread(row["says"], "action", str(number)) == []


@pytest.mark.parametrize(("number", "row"), ACTIONS)
def test_action_moves_the_camera_as_its_row_says(number: int, row: dict[str, Any]) -> None:
    text = said(row["says"])[0]
    for key, kind in expected(row).items():
        scene = parse_scene(f"[{text} {'' if key == 'alone' else forms(words(key)[0])[0]}]")
        kinds = [move.kind for shot in scene.shots for move in shot.moves]
        assert kinds == ([kind] if kind else []), (text, key)
        assert scene.explicit_camera


def expected(row: dict[str, Any]) -> dict[str, str]:
    """Return the kind of move by the direction that is said with it."""
    if "fixed" in row:
        return {"alone": row["fixed"]}
    alone = {} if row.get("needs_turn") or "default" not in row else {"alone": row["default"]}
    return {**alone, **row["turns"]}


def test_every_kind_of_move_can_be_asked_for() -> None:
    asked = set(chain.from_iterable(expected(row).values() for row in actions())) - {""}
    assert asked == set(vocabulary("moves"))


def test_directions_that_actions_turn_by_exist() -> None:
    assert {key for row in actions() for key in row.get("turns", {})} <= set(DIRECTIONS)


@pytest.mark.parametrize("number", range(len(speeds())))
def test_speed_is_found_in_all_its_forms_and_sets_the_strength(number: int) -> None:
    row = speeds()[number]
    assert misread(row["says"], "speed", str(number)) == []
    for text in said(row["says"]):
        assert parse_scene(f"camera {text} pan left").shots[0].moves[0].strength == row["strength"]


@pytest.mark.parametrize("name", SCANNED)
def test_word_list_is_found_in_all_its_forms(name: str) -> None:
    kind, key = ("direction", name) if name in DIRECTIONS else (name, "")
    assert misread(words(name), kind, key) == []


def test_sequence_words_start_another_shot() -> None:
    for text in said(words("sequence")) + words("arrows"):
        shots = parse_scene(f"zoom in {text} pan left").shots
        kinds = [[move.kind for move in shot.moves] for shot in shots]
        assert kinds == [["zoom_in"], ["pan_left"]], text


@pytest.mark.parametrize("role", ROLES)
def test_role_is_given_to_all_its_words(role: str) -> None:
    assert [text for text in said(words(role)) if role not in tokens(text)[0].roles] == []


def moving(frame: str, name: str) -> list[str]:
    """Return the forms of a word list that move the camera when set into `frame`."""
    texts = (frame.format(text) for text in said(words(name)))
    return [text for text in texts if parse_scene(text).explicit_camera]


def test_negations_forbid_a_move() -> None:
    assert moving("A mill, {} zoom in", "negation") == []


def test_what_only_sounds_like_a_camera_moves_nothing() -> None:
    assert moving("A man, {}", "not_camera") == []


@pytest.mark.parametrize("name", looks())
def test_look_is_found_in_all_its_forms(name: str) -> None:
    for text in said(looks()[name]["says"]):
        assert find_looks(fold(text), cut(fold(text))) == (name,), text
    for text in looks()[name]["tags"]:
        assert parse_scene(f"a mill [{text}]").looks == (name,), text
        assert parse_scene(f"a mill, {text}, a barn").looks == (name,), text


def test_what_only_sounds_like_a_look_is_none() -> None:
    texts = [f"a mill and {text} there" for text in said(words("not_look"))]
    assert [text for text in texts if parse_scene(text).looks] == []


def test_looks_can_be_graded_and_described() -> None:
    assert set(looks()) == set(LOOKS)
    for row in looks().values():
        assert row["en"].isascii()
        assert not row["ru"].isascii()
        assert set(row.get("drops", ())) <= set(looks())


def test_numbers_are_lengths_in_both_languages() -> None:
    rows = vocabulary("durations")
    for text, value in rows["numbers"].items():
        unit = "seconds" if text.isascii() else "\u0441\u0435\u043a\u0443\u043d\u0434"
        assert [found.seconds for found in find_durations(f"{text} {unit}")] == [value], text
    for text, value in rows["whole"].items():
        assert [found.seconds for found in find_durations(text)] == [value], text


def test_moves_and_speeds_are_described_in_both_languages() -> None:
    for row in (*vocabulary("moves").values(), *speeds()):
        assert row["en"].isascii()
        assert not row["ru"].isascii()


@pytest.mark.parametrize(
    ("text", "language", "sentence"),
    [
        (
            "slow push in, then pan left, sunset, 5 seconds",
            "en",
            "The camera slowly moves forward, then pans left; sunset look; 5 seconds.",
        ),
        ("A mill", "en", "The camera slowly moves forward (by default)."),
        ("static, 1 s", "en", "The camera stays still; 1 second."),
        (
            "push in while panning left for 2.5 seconds. Negative: blur",
            "en",
            "The camera moves forward and pans left; 2.5 seconds; avoiding blur.",
        ),
        (
            "pan left for 2 s then quickly tilt up for 3 s",
            "en",
            "The camera pans left for 2 seconds, then quickly tilts up for 3 seconds; 5 seconds.",
        ),
        (
            "Медленный наезд, затем панорама влево, закат, 5 секунд",
            "ru",
            "Камера медленно наезжает, затем панорамирует влево; закатный вид; 5 секунд.",
        ),
        ("статика, 1 секунда", "ru", "Камера стоит неподвижно; 1 секунда."),
        ("наезд, 3 секунды", "ru-RU", "Камера наезжает; 3 секунды."),
        ("наезд, 11 секунд", "ru", "Камера наезжает; 11 секунд."),
        ("наезд, 2,5 секунды", "ru", "Камера наезжает; 2,5 секунды."),
        ("наезд", "xx", "The camera moves forward."),
        (
            "zoom in, 120 seconds",
            "en",
            "The camera zooms in; 60 seconds (the longest; 120 was asked).",
        ),
        (
            "zoom in, 0.25 s",
            "en",
            "The camera zooms in; 0.5 seconds (the shortest; 0.25 was asked).",
        ),
        (
            "наезд на две минуты",
            "ru",
            "Камера наезжает; 60 секунд (больше нельзя; просили 120).",
        ),
        ("zoom in, 60 seconds", "en", "The camera zooms in; 60 seconds."),
    ],
)
def test_describe(text: str, language: str, sentence: str) -> None:
    assert describe(parse_scene(text), language) == sentence


def test_long_negative_prompts_are_shortened_in_the_description() -> None:
    sentence = describe(parse_scene("A mill", "very " * 100))
    assert len(sentence) < 160
    assert sentence.endswith("very...")
