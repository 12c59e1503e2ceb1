"""Turns the parts of a text into camera shots: what is made together, what follows.

Knows the order of words and of sentences. Must not know which words are the camera's (`phrases`)
or how long a shot lasts (`timing`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from .bearings import said_speed
from .clauses import Clause, Move
from .lexicon import vocabulary
from .phrases import read_all
from .timing import Timing
from .tokens import Part, Token, actions, words
from .values import CameraMove, Shot

MAX_SHOTS = 12  # of a text, and MAX_MOVES of a shot; what comes later is left out
MAX_MOVES = 4
_BARE = frozenset(("direction", "speed", "duration", "negation", "action"))
_PLACES = frozenset(("preposition", "wide_preposition"))
VERTIGO = (("dolly_in", "zoom_out"), ("dolly_out", "zoom_in"))
DEFAULTS = (CameraMove("dolly_in", 0.6), CameraMove("truck_right", 0.6))  # the first not forbidden


@dataclass(frozen=True)
class Motion:
    """What a text asks of the camera.

    `seconds`: as the text says, whatever is allowed; `clauses`: one list for each part.
    """

    shots: tuple[Shot, ...]
    seconds: float | None
    explicit: bool
    clauses: tuple[tuple[Clause, ...], ...]


def read_motion(parts: Sequence[Part], folded: str) -> Motion:
    """Return the shots and the length that `parts` of the text `folded` ask for."""
    director = _Director(folded, alone=len(parts) == 1 or all(map(_only_turns, parts)))
    clauses = read_all(parts, folded)
    for part, row in _in_time(parts, clauses):
        director.take(part, row)
    shots = director.shots()
    timed, seconds = director.timing.apply(shots)
    return Motion(timed, seconds, director.explicit, tuple(clauses))


def _in_time(
    parts: Sequence[Part], clauses: Sequence[tuple[Clause, ...]]
) -> list[tuple[Part, tuple[Clause, ...]]]:
    """Return the parts in the order of what happens: "before zooming in, | pan left"."""
    rows = list(zip(parts, clauses, strict=True))
    for i, part in enumerate(parts):
        goes_on = i + 1 < len(parts) and not parts[i + 1].new_sentence
        if part.lead in words("leads_to_next") and i and not part.new_sentence:
            rows[i - 1], rows[i] = rows[i], (replace(rows[i - 1][0], follows=True), rows[i - 1][1])
        elif part.lead in words("leads_to_next") and goes_on:
            rows[i + 1] = replace(parts[i + 1], follows=True), clauses[i + 1]
        elif part.lead in words("follows_next") and goes_on:
            later = replace(parts[i + 1], follows=True)
            rows[i], rows[i + 1] = (later, clauses[i + 1]), rows[i]
    return rows


class _Director:
    """Collects shots, part by part. A strength is None until a speed word says one."""

    def __init__(self, folded: str, *, alone: bool) -> None:
        self.timing = Timing()
        self._folded = folded
        self._alone = alone  # nothing else stands in the text: "left to right"
        self._shots: list[dict[str, float | None]] = []
        self._avoided: set[str] = set()
        self._last: Move | None = None
        self._speed: float | None = None  # said before the move: "Slowly, the camera ..."
        self._tagged = False  # the part stands in square brackets: "[left]"
        self._cued = False  # a stretch of time ("2-4s") has begun
        self._then = False  # a sequence word stood before the part or, as in "then a cat", earlier

    @property
    def explicit(self) -> bool:
        """Tell whether the text named a move, or no motion."""
        return bool(self._shots)

    def take(self, part: Part, clauses: Sequence[Clause]) -> None:
        """Add what a part asks for."""
        self._then = self._then or part.follows
        if part.plain:
            return
        self._tagged = part.tagged
        fresh = self._then or part.new_sentence or _announces(part)
        self._cued = self._cued or any(
            token.duration and token.duration.cue for token in part.tokens
        )
        together = False
        for clause in clauses:
            clause.moves = clause.moves or list(self._again(clause))
            fresh = fresh or (bool(clause.moves) and self.timing.would_repeat(clause))
            fresh = fresh or self._cued
            for move in clause.moves:
                self._cued = self._cued and move.negated
                self._add(move, fresh=fresh, insists=part.follows, together=together)
                together = together or not move.negated
                fresh = fresh and move.negated
                self._then = self._then and move.negated
            self._note_speed(clause)
            named = any(not move.negated for move in clause.moves)
            self.timing.take(clause, len(self._shots) - 1 if named else None)

    def shots(self) -> list[Shot]:
        """Return the shots, or the default one where the text named none."""
        if not self._shots:
            allowed = (move for move in DEFAULTS if _axis(move.kind) not in self._avoided)
            return [Shot(tuple([*allowed][:1]))]
        return [
            Shot(tuple(CameraMove(kind, strength or 1.0) for kind, strength in shot.items()))
            for shot in self._shots
        ]

    def _add(self, move: Move, *, fresh: bool, insists: bool, together: bool) -> None:
        if move.negated:
            self._avoided.add(_axis(move.kind) if move.kind else "")
            self._last = self._last or move  # "pan not left, but right"
            return
        self._last = move
        strength, self._speed = move.strength or self._speed, None
        again = self._says_again(move) and not insists
        if together and self._becomes_vertigo(move):
            return
        if not move.kind and self._shots[-1:] == [{}] and not insists:
            return  # "Static. No camera movement."
        if not self._shots or (fresh and not again) or not self._merges(move):
            self._shots.append({})
        if len(self._shots) > MAX_SHOTS:
            self._shots.pop()
        elif move.kind:
            self._put(self._shots[-1], move.kind, strength)

    def _becomes_vertigo(self, move: Move) -> bool:
        """Turn "dolly in while zooming out" into the one move that it is."""
        pair = {move.kind, *self._shots[-1]}
        if not any(pair == set(kinds) for kinds in VERTIGO):
            return False
        self._shots[-1] = {"dolly_zoom": move.strength}
        return True

    def _says_again(self, move: Move) -> bool:
        """Tell whether a new sentence only adds to the shot before, or repeats it."""
        shot = self._shots[-1] if self._shots else None
        return shot is not None and (move.kind in shot or move.kind == "handheld")

    def _merges(self, move: Move) -> bool:
        shot = self._shots[-1]
        if not move.kind:
            return True
        opposite = [kind for kind in shot if _axis(kind) == _axis(move.kind)]
        return not opposite or _sign(opposite[0]) == _sign(move.kind)

    @staticmethod
    def _put(shot: dict[str, float | None], kind: str, strength: float | None) -> None:
        same = next((k for k in shot if _axis(k) == _axis(kind)), None)
        if same is not None:
            shot[same] = shot[same] or strength
        elif len(shot) < MAX_MOVES:
            shot[kind] = strength

    def _again(self, clause: Clause) -> Iterator[Move]:
        """Yield the last move in another direction ("pan left, then right"), or "camera up"."""
        directions = [token.key for token in clause.tokens if token.kind == "direction"]
        placed = any(token.roles & _PLACES for token in clause.tokens)  # "on the left"
        if len(directions) != 1 or not clause.pure or placed or _has_action(clause.tokens):
            return
        named = any(token.kind == "camera" for token in clause.tokens)
        named = named or self._tagged or (self._alone and self._last is None)
        number = _move_row() if named else self._last.row if self._last else None
        row: dict[str, Any] = {} if number is None else actions()[number]
        if number is not None and directions[0] not in row.get("turns", {}):
            number, row = _move_row(), actions()[_move_row()]  # "zoom in, then up"
        kind = {**words("turns_alone"), **row.get("turns", {})}.get(directions[0])
        if kind:
            negated = any(token.kind == "negation" for token in clause.tokens)
            move = Move(kind, _speed(clause), negated=negated, row=number or 0)
            self._last = self._last or move  # "not left, but right"
            yield move

    def _note_speed(self, clause: Clause) -> None:
        """Keep a speed that stands away from its move: "pan left, slowly"."""
        found = [token for token in clause.tokens if token.kind == "speed"]
        if not found or clause.moves or not clause.pure or _has_action(clause.tokens):
            return
        text = self._folded[found[0].start : found[0].end]
        if not re.search(words("adverbs"), text):
            return
        self._speed = _speed(clause)
        for kind, strength in self._shots[-1].items() if self._shots else ():
            self._shots[-1][kind] = strength or self._speed


def _only_turns(part: Part) -> bool:
    """Tell whether a part names nothing but directions, speeds, lengths and moves."""
    return all(token.kind in _BARE for token in part.tokens)


def _announces(part: Part) -> bool:
    return any(token.kind == "opening" for token in part.tokens[:1])


def _speed(clause: Clause) -> float | None:
    """Return the strength that the clause's first speed words give: "slowly left"."""
    return next(
        (
            said_speed(clause.tokens, j)
            for j, token in enumerate(clause.tokens)
            if token.kind == "speed"
        ),
        None,
    )


def _has_action(tokens: Sequence[Token]) -> bool:
    return any(token.kind == "action" for token in tokens)


@cache
def _move_row() -> int:
    """Return the row of the plainest action, which a camera and a direction alone stand for."""
    return next(i for i, row in enumerate(actions()) if row["action"] == "move")


def _axis(kind: str) -> str:
    """Return what a move changes; zooms and dollies count as one."""
    axis: str = vocabulary("moves")[kind]["axis"]
    return "scale" if axis == "depth" else axis


def _sign(kind: str) -> int:
    return vocabulary("moves")[kind]["sign"]
