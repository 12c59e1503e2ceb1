"""Reads a text into a Scene, and says what was understood (`describe`).

Knows which module reads which aspect. Must not know a word: the vocabulary holds them.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from functools import cache

from .describe import describe
from .errors import SceneError
from .lexicon import fold
from .limits import MAX_TEXT, clamp_seconds
from .look_words import find_looks, names_look
from .motion import read_motion
from .prompt import plain_prompt
from .tokens import Part, cut, words
from .values import Scene

__all__ = ["describe", "parse_scene"]

_UNSEEN = {"Cc", "Cf", "Cs", "Zs", "Zl", "Zp"}  # Unicode's control, format and space characters


def parse_scene(text: str, negative: str = "") -> Scene:
    """Return what `text` asks for; `negative` is joined to the negative prompt in the text.

    Only the first MAX_TEXT characters are read; the others stay in the prompt.
    Raises SceneError if the text is blank; any other text is a scene.
    """
    if all(unicodedata.category(char) in _UNSEEN for char in text):
        raise SceneError("The text is empty: say what should happen in the video.")
    head, folded, unwanted = _divide(text[:MAX_TEXT])
    parts = cut(folded)
    motion = read_motion(parts, folded)
    return Scene(
        text=text,
        prompt=plain_prompt(head, parts, motion.clauses, _tags(folded)) + text[MAX_TEXT:],
        negative=", ".join(filter(None, (negative.strip(), unwanted))),
        shots=motion.shots,
        looks=find_looks(folded, parts),
        seconds=None if motion.seconds is None else clamp_seconds(motion.seconds),
        explicit_camera=motion.explicit,
        asked_seconds=motion.seconds,
    )


def _tags(folded: str) -> Callable[[Part], bool]:
    return lambda part: names_look(folded, part)


def _divide(text: str) -> tuple[str, str, str]:
    """Return the text without its negative prompt, the same folded, and that prompt."""
    folded = fold(text)
    found = list(_negative().finditer(folded))
    if not found:
        return text, _joined(folded), ""
    starts, ends = [0, *(m.end() for m in found)], [*(m.start() for m in found), len(text)]
    pieces = (text[start:end].strip(" \t") for start, end in zip(starts, ends, strict=True))
    kept = " ".join(filter(None, pieces))
    folded = fold(kept)
    unwanted = (text[m.start(1) : m.end(1)].strip(" ,.;") for m in found)
    return kept, _joined(folded), ", ".join(filter(None, unwanted))


def _joined(folded: str) -> str:
    """Return the text with spaces for the colons of "[look: sepia]", "pan: left" and "2s: pan"."""
    if ":" not in folded and "=" not in folded:
        return folded
    tags = re.sub(words("tag"), lambda tag: _blanked("colon_in_tag", tag[0]), folded)
    return _blanked("colon_of_length", _blanked("colon_of_move", tags))


def _blanked(pattern: str, text: str) -> str:
    return re.sub(words(pattern), lambda found: re.sub("[:=]", " ", found[0]), text)


@cache
def _negative() -> re.Pattern[str]:
    return re.compile(rf"(?<!\w){words('negative')}")
