"""What a text asks for, over the phrases in `data/scenes*.json`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from promptreel.engine.errors import SceneError
from promptreel.engine.limits import MAX_SECONDS, MAX_TEXT, MIN_SECONDS
from promptreel.engine.scene import parse_scene
from promptreel.engine.values import Scene

DATA = Path(__file__).parent.parent / "data"


def rows(name: str) -> list[Any]:
    phrases = json.loads((DATA / f"{name}.json").read_text(encoding="utf-8"))
    return [pytest.param(row, id=row["text"][:60]) for row in phrases]


def moves(scene: Scene) -> list[str]:
    return ["+".join(move.kind for move in shot.moves) for shot in scene.shots]


@pytest.mark.parametrize("row", rows("scenes"))
def test_phrase(row: dict[str, Any]) -> None:
    check(row)


@pytest.mark.parametrize("row", rows("scenes_heldout"))
def test_phrase_as_users_write_it(row: dict[str, Any]) -> None:
    check(row)


@pytest.mark.parametrize("row", rows("scenes_reported"))
def test_phrase_that_was_once_misread(row: dict[str, Any]) -> None:
    check(row)


@pytest.mark.parametrize("text", ["!!!", "...", "\U0001f600", "\U0003d8e9"])
def test_a_text_without_a_word_asks_for_no_move(text: str) -> None:
    assert not parse_scene(text).explicit_camera


def check(row: dict[str, Any]) -> None:
    scene = parse_scene(row["text"])
    assert scene.text == row["text"]
    assert scene.seconds == row.get("seconds")
    assert list(scene.looks) == row.get("looks", [])
    assert scene.negative == row.get("negative", "")
    if "prompt" in row:
        assert scene.prompt == row["prompt"]
    check_camera(scene, row)


def check_camera(scene: Scene, row: dict[str, Any]) -> None:
    moved = "shots" in row
    assert scene.explicit_camera is moved, moves(scene)
    if moved:
        assert moves(scene) == row["shots"]
    else:
        assert len(scene.shots) == 1
        assert not any(row.get("not", "static") in kinds for kinds in moves(scene))
    if "strength" in row:
        assert scene.shots[0].moves[0].strength == pytest.approx(row["strength"], rel=1e-3)
    if "shot_seconds" in row:
        assert [shot.seconds for shot in scene.shots] == row["shot_seconds"]


def test_the_data_is_as_large_and_varied_as_it_claims() -> None:
    phrases = [
        row.values[0]
        for row in (*rows("scenes"), *rows("scenes_heldout"), *rows("scenes_reported"))
    ]
    traps = [row for row in phrases if row.get("trap")]
    russian = [row for row in phrases if not row["text"].isascii()]
    assert len(phrases) >= 80
    assert len(traps) >= 25
    assert len(russian) >= 40
    assert len({row["text"] for row in phrases}) == len(phrases)


@pytest.mark.parametrize("blank", ["", " ", "\n\t ", "\u00a0\u2003", "\u200b\ufeff\u2060"])
def test_blank_text_is_refused_with_advice(blank: str) -> None:
    with pytest.raises(SceneError, match="say what should happen"):
        parse_scene(blank)


def test_no_camera_words_give_a_gentle_push_in() -> None:
    scene = parse_scene("A cat on a sofa")
    assert moves(scene) == ["dolly_in"]
    assert 0 < scene.shots[0].moves[0].strength < 1
    assert not scene.explicit_camera
    assert scene.seconds is None


def test_a_forbidden_default_gives_way_to_another_and_then_to_none() -> None:
    assert moves(parse_scene("A cat, no zoom")) == ["truck_right"]
    assert moves(parse_scene("A cat, no zoom, don't track right")) == [""]


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("zoom in for 99999 seconds", MAX_SECONDS),
        ("zoom in for 10 minutes", MAX_SECONDS),
        ("zoom in for 0.1 seconds", MIN_SECONDS),
        ("pan left for 50 s, then zoom in for 50 s", MAX_SECONDS),
        ("zoom in, half a minute", 30),
        ("zoom in for 3-5 seconds", 4),
        ("zoom in, duration: 7", 7),
        ("zoom in, 0 seconds", None),
        ("an arcade of the 80s, zoom in", None),
        ("in 1980s Tokyo, zoom in", None),
        ("five seconds before the storm", None),
        ("полминуты, наезд", 30),
        ("наезд, 20 с собакой", None),
        ("наезд в течение трёх секунд", 3),
    ],
)
def test_length(text: str, seconds: float | None) -> None:
    assert parse_scene(text).seconds == seconds


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("zoom in for 10 minutes", 600),
        ("zoom in for 0.1 seconds", 0.1),
        ("pan left for 50 s, then zoom in for 50 s", 100),
        ("zoom in for 7 s", 7),
        ("zoom in", None),
    ],
)
def test_length_as_it_was_asked_for(text: str, asked: float | None) -> None:
    assert parse_scene(text).asked_seconds == asked


@pytest.mark.parametrize(
    ("text", "seconds", "lengths"),
    [
        ("pan left for 2 s, then zoom in", 4, [2, None]),
        ("pan left then zoom in, 6 seconds", 6, [None, None]),
        ("pan left, 2 s, then zoom in, 4 s", 6, [2, 4]),
        ("10 second video: pan left for 2 s, then zoom in for 3 s", 10, [4, 6]),
        ("4 second video: pan left for 8 s, then zoom in", 4, [2, None]),
        ("pan left for 90 s, then zoom in for 30 s", 60, [45, 15]),
        ("[00:00-00:02] push in. [00:02-00:05] pan left.", 5, [2, 3]),
        ("0-2s: pan left, 2-5s: zoom in", 5, [2, 3]),
        ("0-2s: pan left, 2-5s: a dog barks", 5, [None]),
    ],
)
def test_lengths_of_shots_agree_with_the_whole(
    text: str, seconds: float, lengths: list[float | None]
) -> None:
    scene = parse_scene(text)
    assert scene.seconds == seconds
    assert [shot.seconds for shot in scene.shots] == lengths


@pytest.mark.parametrize(
    ("text", "prompt"),
    [
        ("A cat sits on a roof, slow zoom in, 5 seconds", "A cat sits on a roof"),
        ("Zoom in. A cat. Pan left. A dog.", "A cat. A dog."),
        ("A cat sits while the camera slowly pans left", "A cat sits"),
        ("The camera pans left and a cat jumps", "A cat jumps"),
        ("A boy runs for 5 seconds through rain", "A boy runs through rain"),
        ("A lake (slow zoom out), mountains", "A lake, mountains"),
        ("First, zoom in, then a cat jumps", "A cat jumps"),
        ("[pan left] a mill [4s], wheat", "a mill, wheat"),
        ("[masterpiece] a mill", "[masterpiece] a mill"),
        ("Camera movement: slow push in. A mill.", "A mill."),
        ("zoom in", ""),
        ("A mill. Negative: people", "A mill."),
        ('He says: "zoom in!"', 'He says: "zoom in!"'),
        ("Кот на крыше, медленный наезд, 5 секунд", "Кот на крыше"),
        ("Сначала наезд. Кот прыгает.", "Кот прыгает."),
        ("Камера медленно наезжает на дом.", "Камера медленно наезжает на дом."),
        ("A mill -> zoom in -> a barn", "A mill -> a barn"),
    ],
)
def test_prompt_keeps_the_subject_and_stays_readable(text: str, prompt: str) -> None:
    assert parse_scene(text).prompt == prompt


@pytest.mark.parametrize(
    ("text", "given", "negative"),
    [
        ("A mill", "blur", "blur"),
        ("A mill. Negative prompt: people, text", "blur", "blur, people, text"),
        ("A mill\nnegative: people\nat dawn", "", "people"),
        ("A mill [negative: people] at dawn", "", "people"),
        ("A negative photo of a mill", "", ""),
        ("A mill. Negative: night, fog, zoom in", "", "night, fog, zoom in"),
    ],
)
def test_negative(text: str, given: str, negative: str) -> None:
    scene = parse_scene(text, given)
    assert scene.negative == negative
    assert not scene.explicit_camera
    assert set(scene.looks) <= {"sunrise"}


@pytest.mark.parametrize(
    ("text", "looks"),
    [
        ("[night] a beach at sunset", ["night"]),
        ("a beach, sunset, then night", ["night"]),
        ("a beach at night, warm", ["night", "warm"]),
        ("black and white, vivid colors", ["black_and_white"]),
        ("moonlit night", ["moonlight"]),
        ("not at night", []),
        ("no rain, no fog", []),
        ("a warm croissant and a cold drink", []),
        ("без тумана", []),
    ],
)
def test_looks_that_exclude_one_another(text: str, looks: list[str]) -> None:
    assert list(parse_scene(text).looks) == looks


def test_words_beyond_the_limit_stay_in_the_prompt_unread() -> None:
    text = "A mill. " + "x" * MAX_TEXT + " zoom in, at night"
    scene = parse_scene(text)
    assert not scene.explicit_camera
    assert scene.looks == ()
    assert scene.prompt.endswith("zoom in, at night")
