"""Says in one sentence, in English or Russian, what a scene asks for.

Knows the templates of `vocabulary/sentences.json`. Must not know how a text is read.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Any

from .lexicon import vocabulary
from .limits import MAX_SECONDS, MIN_SECONDS
from .values import CameraMove, Scene, Shot

_LONGEST_NEGATIVE = 80  # characters of it that the sentence repeats
_CYRILLIC = re.compile("[\u0400-\u04ff]")


def describe(scene: Scene, language: str = "en") -> str:
    """Return what was understood of a text: "The camera slowly pans left; night look; 4 seconds."

    `language` may be a tag such as "ru-RU"; English stands in for languages other than these two.
    """
    code = language[:2].lower() if language[:2].lower() in vocabulary("sentences") else "en"
    return _Speaker(code).sentence(scene)


def scene_view(scene: Scene, language: str = "") -> dict[str, Any]:
    """Return what was understood as plain JSON values, for pages that show it.

    `moves` are in order, each with the number of the shot (from 0) that it belongs to; moves of one
    shot are made together. Without a `language` the sentence is in that of the scene's text.
    """
    spoken = language or ("ru" if _CYRILLIC.search(scene.text) else "en")
    return {
        "understood": describe(scene, spoken),
        "seconds": scene.seconds,
        "moves": [
            {"kind": move.kind, "strength": move.strength, "shot": i, "seconds": shot.seconds}
            for i, shot in enumerate(scene.shots)
            for move in shot.moves
        ],
        "look": list(scene.looks),
        "prompt": scene.prompt,
        "negative": scene.negative,
        "explicitCamera": scene.explicit_camera,
    }


class _Speaker:
    """Writes the sentence in one language."""

    def __init__(self, code: str) -> None:
        self._code = code
        self._say: dict[str, Any] = vocabulary("sentences")[code]

    def sentence(self, scene: Scene) -> str:
        say = self._say
        text = f"{say['camera']} {say['then'].join(map(self._shot, scene.shots or (Shot(),)))}"
        text += "" if scene.explicit_camera else say["default"]
        if scene.looks:
            names = (vocabulary("looks")[look][self._code] for look in scene.looks)
            text += say["look"].format(looks=say["list"].join(names))
        if scene.seconds is not None:
            text += say["time"].format(time=self._seconds(scene.seconds))
            text += self._asked(scene.seconds, scene.asked_seconds)
        if scene.negative:
            text += say["avoid"].format(negative=_shortened(scene.negative))
        return text if text.endswith("...") else text + "."

    def _asked(self, seconds: float, asked: float | None) -> str:
        """Say which length was asked for, if the limits did not allow it."""
        if asked is None or seconds not in (MIN_SECONDS, MAX_SECONDS) or seconds == asked:
            return ""
        say = self._say["longest" if asked > seconds else "shortest"]
        return say.format(asked=f"{asked:.7g}".replace(".", self._say["point"]))

    def _shot(self, shot: Shot) -> str:
        moves = self._moves(shot.moves)
        if shot.seconds is None:
            return moves
        return self._say["for"].format(moves=moves, time=self._seconds(shot.seconds))

    def _moves(self, moves: Sequence[CameraMove]) -> str:
        if not moves:
            return self._say["still"]
        adverbs = [self._adverb(move.strength) for move in moves]
        if len(set(adverbs)) == 1:
            adverbs[1:] = [""] * (len(moves) - 1)
        words = [
            f"{adverb} {vocabulary('moves')[move.kind][self._code]}".strip()
            for adverb, move in zip(adverbs, moves, strict=True)
        ]
        head = self._say["list"].join(words[:-1])
        return self._say["and"].join(filter(None, (head, words[-1])))

    def _adverb(self, strength: float) -> str:
        """Return the adverb nearest to a strength; nothing for a normal one."""
        rows = [(1.0, ""), *((r["strength"], r[self._code]) for r in vocabulary("speeds"))]
        return min(rows, key=lambda row: abs(math.log(max(strength, 0.01) / row[0])))[1]

    def _seconds(self, seconds: float) -> str:
        number = f"{round(seconds, 1):g}"
        form = self._say["seconds"][_plural(number)]
        return form.format(n=number.replace(".", self._say["point"]))


def _plural(number: str) -> int:
    """Return which form a number takes: of one, of two to four, of more, of a fraction."""
    if "." in number or "e" in number:
        return 3
    last, tens = int(number) % 10, int(number) % 100 // 10
    if tens == 1 or last == 0 or last > 4:
        return 2
    return 0 if last == 1 else 1


def _shortened(text: str) -> str:
    flat = " ".join(text.split())
    if len(flat) <= _LONGEST_NEGATIVE:
        return flat
    return flat[:_LONGEST_NEGATIVE].rpartition(" ")[0] + "..."
