"""Finds what belongs to a move in its clause: direction, speed, negation, goal.

Must not decide whether it is a move of the camera: `phrases` does.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

from .clauses import Clause
from .line import Line, is_open, is_preposition
from .tokens import Token, actions, speeds, words

_FREE = frozenset(("left", "right", "up", "down", "cw", "ccw"))  # may stand apart from their verb

_DETAILS = frozenset(("direction", "speed", "camera", "frame"))
_OBJECT = frozenset(("toward", "away", "around", "along"))  # a noun behind them is expected


def turn_of(line: Line, row: dict[str, Any], i: int) -> str | None:
    """Return the direction of the action `row` at `i`, of those that the row knows."""
    turns: dict[str, str] = row.get("turns", {})
    if not turns:
        return None
    places = (*_directions_after(line, i), *_directions_before(line, i))
    return next((line.tokens[j].key for j in places if line.tokens[j].key in turns), None)


def passing_of(line: Line, row: dict[str, Any], i: int) -> str | None:
    """Return the kind of move that "through" and the like make of the action at `i`."""
    kinds: dict[str, str] = row.get("passing", {})
    j = next((j for j in range(i + 1, len(line.tokens)) if not line.soft[j]), None)
    return None if j is None else kinds.get(line.text(j))


def speed_of(line: Line, i: int) -> float | None:
    """Return the strength that speed words give the move at `i`."""
    for j in _around(line, i):
        if line.tokens[j].kind == "speed":
            return said_speed(line.tokens, j)
    return None


def said_speed(tokens: Sequence[Token], j: int) -> float:
    """Return the strength that the speed word at `j` stands for: "not fast" is slow."""
    value = float(speeds()[int(tokens[j].key)]["strength"])
    return 1 / value if j > 0 and tokens[j - 1].kind == "negation" else value


def is_denied(line: Line, i: int) -> bool:
    """Tell whether a "no" or "without" in the clause, or "is not needed", forbids the move."""
    last = _last_detail(line, i)
    if _denied_after().match(line.folded, line.tokens[last].end) or _turns_not(line, i):
        return True
    for j in range(i - 1, -1, -1):
        if line.tokens[j].kind == "negation":
            slower = line.text(j) in words("denies_speed") and line.tokens[j + 1].kind == "speed"
            return not slower and line.hard(j + 1, i) <= 1
        if j in line.used:
            return False
    return False


def _turns_not(line: Line, i: int) -> bool:
    """Tell whether the move goes "not left"; what follows says where it goes."""
    rest = line.tokens[i + 1 : i + 3]
    return [token.kind for token in rest] == ["negation", "direction"]


def _last_detail(line: Line, i: int) -> int:
    """Return the place of the last of the directions and speeds right behind the move at `i`."""
    while (following := line.next(i)) and following.kind in _DETAILS:
        i += 1
    return i


@cache
def _denied_after() -> re.Pattern[str]:
    return re.compile(words("denied_after"))


def goal_of(line: Line) -> int | None:
    """Return where the words for what the last move looks at begin, in English.

    Without their preposition they would be in the wrong case in Russian.
    """
    size = len(line.tokens)
    for j in range(line.used[-1] + 1 if line.used else size, size):
        token = line.tokens[j]
        passed = line.soft[j] or is_preposition(token)
        if not passed or "determiner" in token.roles:
            empty = all(map(line.is_about_camera, range(j, size)))
            return None if empty or not line.text(j).isascii() else token.start
    return None


def tail_of(line: Line, clause: Clause) -> int | None:
    """Return where the direction of the last move begins, if it ends the clause behind a goal."""
    last = line.tokens[-1] if line.tokens else None
    if clause.goal is None or not clause.moves or last is None or last.key not in _FREE:
        return None
    move = clause.moves[-1]
    turned = actions()[move.row].get("turns", {}).get(last.key) == move.kind
    return last.start if turned and last.start > clause.goal else None


def _directions_before(line: Line, i: int) -> Iterator[int]:
    for j in range(i - 1, -1, -1):
        if line.tokens[j].kind == "action" or not line.soft[j]:
            return
        if line.tokens[j].kind == "direction":
            yield j


def _directions_after(line: Line, i: int) -> Iterator[int]:
    """Yield the directions after `i`; one that is far from it has to stand alone."""
    far = False
    for j in range(i + 1, len(line.tokens)):
        token = line.tokens[j]
        if token.kind == "action" and line.text(j) not in words("absorbed"):
            return
        if token.kind != "direction":
            far = far or not line.soft[j] or is_preposition(token)
        elif _counts(line, j, far=far):
            yield j


def _counts(line: Line, j: int, *, far: bool) -> bool:
    """Tell whether the direction at `j` is one, and not part of "in the fog", "the left side"."""
    if line.tokens[j].key in _OBJECT:
        return not far
    if line.tokens[j].key not in _FREE:
        following = line.next(j)
        return not far and (following is None or is_open(following) or is_preposition(following))
    before = line.tokens[j - 1]
    side = "determiner" in before.roles and before.key not in words("followed")  # "the left"
    return not far or (line.ends_after(j) and not side)


def _around(line: Line, i: int) -> Iterator[int]:
    """Yield the places where the speed of the move at `i` may stand, nearest first."""
    for j in range(i - 1, -1, -1):
        if not line.soft[j] or j in line.used:
            break
        yield j
    for j in range(i + 1, len(line.tokens)):
        if not line.soft[j] or line.tokens[j].kind == "action":
            break
        yield j
    if i + 1 < len(line.tokens):
        yield len(line.tokens) - 1
