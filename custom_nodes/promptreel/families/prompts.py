"""Puts words, camera moves and looks the way a family wants to be spoken to.

The ways of speaking are data: `data/prompts/<Model.prompts>.json`, with `speech.json` (sentences)
and `looks.json` for all. Must not know scenes: it gets plain values.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from .base import Model
from .unwanted import divide

_FOLDER = Path(__file__).with_name("data") / "prompts"
_WORD = re.compile(r"\w+")
_CYRILLIC = re.compile(r"[\u0400-\u04ff]")
Move = tuple[str, float]  # a kind of `vocabulary/moves.json` and its strength


@dataclass(frozen=True)
class Spoken:
    """The two texts that a family's text encoder is given.

    `unwanted`: what the words said must not be seen; it is in the negative text instead.
    """

    positive: str
    negative: str
    unwanted: str = ""


def speak(
    family: Model,
    words: str,
    shots: Sequence[Sequence[Move]] = (),
    looks: Sequence[str] = (),
    negative: str = "",
    strength: str | None = None,
    named: Collection[str] = (),
) -> Spoken:
    """Return what a family is told.

    `shots` are moves made together, one group after the other; a group without moves is a camera
    that stands still, and no group at all says nothing about the camera. `looks` are names of
    `vocabulary/looks.json`, those of them that the words name themselves are `named`: they are not
    named again. `negative` is joined to the official negative prompt, and `strength`
    (a word of `base.STRENGTHS`) tells an edit model how much of the picture is kept.
    """
    if not family.speaks:
        return Spoken("", "")
    said = _data(family.prompts)
    code = language(family, words)
    kept, unwanted = (words, "") if said.get("edits") else divide(words)
    repeated = named if understands(family, words) else ()
    say, own = _data("speech")[code], said.get(code) or said["en"]
    sentences = (
        _ended(kept),
        _camera(say, own.get("moves"), shots),
        _looks(say, [_look(code, look, look in repeated, words) for look in looks]),
        own.get("strengths", {}).get(strength, ""),
    )
    wanted = filter(None, sentences)
    avoided = _joined(said["negative"], negative.strip(), unwanted)
    return Spoken(" ".join(wanted), avoided, unwanted)


def language(family: Model, words: str) -> str:
    """Return the language a family is spoken to: that of the words where it knows it."""
    return "ru" if "ru" in family.speaks and _CYRILLIC.search(words) else "en"


def understands(family: Model, words: str) -> bool:
    """Tell whether the family's text encoder knows the language of the words."""
    return not words.strip() or ("ru" if _CYRILLIC.search(words) else "en") in family.speaks


@cache
def _data(name: str) -> Any:  # noqa: ANN401  JSON: its readers know its shape
    return json.loads((_FOLDER / f"{name}.json").read_text(encoding="utf-8"))


def _ended(words: str) -> str:
    """Return words as a sentence: trimmed, with a full stop if nothing ends them."""
    flat = words.strip().rstrip(",;")
    return flat if not flat or flat[-1] in '.!?"\u2026\u3002' else f"{flat}."


def _camera(
    say: Mapping[str, Any], moves: Mapping[str, Any] | None, shots: Sequence[Sequence[Move]]
) -> str:
    """Return the sentence about the camera; "" where there is none or it isn't spoken of."""
    if not shots or not moves:
        return ""
    told = say["then"].join(_shot(say, moves, shot) for shot in shots)
    return say["camera"].format(moves=told)


def _shot(say: Mapping[str, Any], moves: Mapping[str, Any], shot: Sequence[Move]) -> str:
    """Return the phrases of moves made together; an adverb is not said twice in a row."""
    phrases: list[str] = []
    before = None
    for kind, strength in shot or (("static", 1.0),):
        adverb, phrase = _phrase(say, moves[kind], kind, strength)
        phrases.append(phrase if adverb == before else f"{adverb} {phrase}".strip())
        before = adverb
    head = say["list"].join(phrases[:-1])
    return say["and"].join(filter(None, (head, phrases[-1])))


def _phrase(say: Mapping[str, Any], phrase: Any, kind: str, strength: float) -> tuple[str, str]:  # noqa: ANN401
    """Return the adverb and the phrase of a move; rows of phrases are chosen by strength."""
    if not isinstance(phrase, str):
        return "", _upto(phrase, strength)
    return "" if kind == "static" else _upto(say["speeds"], strength), phrase


def _upto(rows: Sequence[tuple[float, str]], strength: float) -> str:
    """Return the text of the first row that reaches up to a strength, or of the last."""
    return next((text for most, text in rows if strength <= most), rows[-1][1])


def untold(words: str, language: str = "") -> str:
    """Return the sentence that a model is told of no camera, in the language of the words.

    `language` ("en", "ru-RU") says it in that one; of others than these two it is English.
    """
    said = language[:2].lower() or ("ru" if _CYRILLIC.search(words) else "en")
    return _data("speech")["ru" if said == "ru" else "en"]["untold"]


def _looks(say: Mapping[str, Any], phrases: Sequence[str]) -> str:
    """Return the sentence about the looks, of their phrases; some may be blank."""
    text = say["list"].join(filter(None, phrases))
    return say["looks"].format(looks=text[:1].upper() + text[1:]) if text else ""


def _look(code: str, look: str, named: bool, words: str) -> str:
    """Return a look's phrase. Where the words name the look, only what they don't say yet.

    The phrase's first part is the look's name, the others are what belongs to it.
    """
    phrase: str = _data("looks")[look][code]
    if not named:
        return phrase
    said = set(_WORD.findall(words.lower()))
    more = [part for part in phrase.split(", ")[1:] if said.isdisjoint(_WORD.findall(part))]
    return ", ".join(more)


def _joined(*negatives: str) -> str:
    return ", ".join(filter(None, negatives))
