"""No text makes the parser fail, hang, or ask the camera for something that it can't do."""

from __future__ import annotations

import itertools
import random
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from phrasebook import forms
from promptreel.engine.clauses import split
from promptreel.engine.describe import describe
from promptreel.engine.errors import SceneError
from promptreel.engine.lexicon import Scanner, fold, vocabulary
from promptreel.engine.limits import MAX_SECONDS, MIN_SECONDS
from promptreel.engine.look_words import looks
from promptreel.engine.motion import MAX_MOVES, MAX_SHOTS
from promptreel.engine.scene import parse_scene
from promptreel.engine.tokens import actions, cut, speeds, words
from promptreel.engine.values import Scene

LENGTH = 100_000
MARKS = [*",.;:!?()[]{}\"'|/\n-", "->", "...", "\u2014", "\u00ab", "\u00bb"]
NUMBERS = ["5s", "0-2s", "00:01-00:03", "2", "99999 seconds", "\u0437\u0430 3 \u0441\u0435\u043a"]
STRANGE = ["\u0130", "\u00df", "\u200b", "\u0301", "\U0001f3a5", "\u0000", "\ud7ff", "na\u00efve"]


def vocabulary_words() -> list[str]:
    said = [row["says"] for row in (*actions(), *speeds(), *looks().values())]
    said += [row for row in vocabulary("words").values() if isinstance(row, list)]
    return [forms(pattern)[0] for patterns in said for pattern in patterns if pattern.strip()]


WORDS = vocabulary_words()
PIECES = st.sampled_from([*WORDS, *MARKS, *NUMBERS, *STRANGE, "cat", "the", "\u043a\u043e\u0442"])
SENTENCES = st.lists(PIECES, min_size=1, max_size=40).map(" ".join)


def check_sane(scene: Scene) -> None:
    assert 1 <= len(scene.shots) <= MAX_SHOTS
    assert scene.seconds is None or MIN_SECONDS <= scene.seconds <= MAX_SECONDS
    for shot in scene.shots:
        assert len(shot.moves) <= MAX_MOVES
        assert shot.seconds is None or 0 < shot.seconds <= MAX_SECONDS
        assert all(move.kind in vocabulary("moves") for move in shot.moves)
        assert all(0.3 <= move.strength <= 3 for move in shot.moves)
    check_lengths(scene)
    assert set(scene.looks) <= set(looks())
    assert scene.prompt == scene.prompt.strip()
    assert all(describe(scene, language).strip() for language in ("en", "ru"))


def check_lengths(scene: Scene) -> None:
    lengths = [shot.seconds for shot in scene.shots]
    said = sum(filter(None, lengths))
    if scene.seconds is None:
        assert said == 0
    elif None in lengths:
        assert said < scene.seconds
    elif said:
        assert said == pytest.approx(scene.seconds, abs=0.02)


@settings(max_examples=200, deadline=None)
@given(SENTENCES)
@example("zoom in for 0-0s")
@example("zoom in 5s pan left 0:00-0:00 then tilt up")
def test_any_sentence_of_the_vocabulary_gives_a_sane_scene(text: str) -> None:
    if text.strip():
        check_sane(parse_scene(text))


@settings(max_examples=80, deadline=None)
@given(st.text(min_size=1, max_size=200))
def test_any_text_gives_a_sane_scene_or_is_blank(text: str) -> None:
    try:
        scene = parse_scene(text)
    except SceneError:
        assert not any(char.isprintable() and not char.isspace() for char in text)
    else:
        check_sane(scene)


@settings(max_examples=80, deadline=None)
@given(st.text(max_size=100) | SENTENCES)
def test_folding_keeps_every_place_in_the_text(text: str) -> None:
    folded = fold(text)
    assert len(folded) == len(text)
    tokens = [token for part in cut(folded) for token in part.tokens]
    assert all(0 <= token.start < token.end <= len(text) for token in tokens)
    places = [(token.start, token.end) for token in tokens]
    assert places == sorted(places)
    assert all(one[1] <= two[0] for one, two in itertools.pairwise(places))


@settings(max_examples=60, deadline=None)
@given(SENTENCES)
def test_reading_twice_gives_the_same(text: str) -> None:
    if text.strip():
        assert parse_scene(text) == parse_scene(text)


UNITS = [
    "zoom ", "pan ", "the ", "no ", "5s ", "5-", "1:00-", "left ", "camera and ", "a,", "a - ",
    "[night]", "[", "\"", "\"a ", "negative: ", "very ", "in the ", "hand held camera ", "then ",
    "->", "two and a ", "duration: ", "x sec ", "a" * 50, "zoom-", "slowly ", "\u00ab", "\n", "-",
    "1. ", "orbit, ", "after panning ", "before zooming ", "20% ", "a drone ", "negative: a. ",
    "\u043e\u0447\u0435\u043d\u044c ", "\u043d\u0430\u0435\u0437\u0434 \u0438 ",
]  # fmt: skip


@pytest.mark.timeout(30)
@pytest.mark.parametrize("unit", UNITS)
def test_long_repetitive_text_does_not_hang(unit: str) -> None:
    check_sane(parse_scene(("x " + unit * LENGTH)[: LENGTH // 3]))


@pytest.mark.timeout(30)
def test_long_random_text_does_not_hang() -> None:
    source: Any = random.Random(7)
    text = " ".join(source.choices([*WORDS, *MARKS, *NUMBERS], k=20_000))[:LENGTH]
    check_sane(parse_scene(text))


def test_many_different_letters_do_not_fill_the_scanner() -> None:
    scanner = Scanner([("pan", "pan"), ("push (in|out)", "push"), ("p?x", "x")])
    for code in range(0x20, 0x3000):
        scanner.at("p" + chr(code), 0)
        scanner.at(chr(code) + "p", 0)
    assert len(scanner._buckets) <= 5
    assert scanner.at("push out", 0) == ("push", 8)


def test_clauses_have_an_end_so_that_reading_stays_linear() -> None:
    (part,) = cut("zoom " * 1000)
    assert max(len(clause.tokens) for clause in split(part)) < 100
    assert sum(len(clause.tokens) for clause in split(part)) == 1000


def test_speech_is_not_an_order() -> None:
    assert not parse_scene('He shouts: "zoom in, pan left!" and runs').explicit_camera
    assert parse_scene('"zoom in"').explicit_camera


def test_an_open_bracket_is_no_tag() -> None:
    scene = parse_scene("[a woman turns left, " + words("filler")[0])
    assert not scene.explicit_camera
