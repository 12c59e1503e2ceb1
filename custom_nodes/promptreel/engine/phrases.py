"""Tells which words of a part move the camera, and not the picture's subject.

An action word is the camera's if a camera stands in its clause, or if it opens the clause the way
an order does ("pan left", "slow drift over the city"). `actions.json` gives each action a level:

sure    always the camera's ("dolly in");
craft   the camera's if it opens its clause and something fitting follows ("pan left");
order   the camera's if it opens its clause (imperatives);
plain   as craft, but only as an order or a noun, and more has to follow ("move left");
alone   only if nothing else stands in the clause ("static");
guided  only with a camera ("stops").

Must not know shots: `motion` makes those.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

from .bearings import goal_of, is_denied, passing_of, speed_of, tail_of, turn_of
from .clauses import Clause, Move, split
from .lexicon import vocabulary
from .line import Line, form, is_open
from .tokens import Part, Token, actions, words


@dataclass
class Carry:
    """What earlier clauses leave to the next one. `camera`: the camera is still the subject.

    `other`: the clause before, in the same part, is about something else. `beside`: the text has
    other clauses that are orders to a camera, so that one bare word ("orbit") is an order too.
    `awaited`: the next part begins with the camera that does it: "moving on, the camera tilts".
    """

    camera: bool = False
    negated: bool = False
    other: bool = False
    beside: bool = False
    awaited: bool = False


def read_all(parts: Sequence[Part], folded: str) -> list[tuple[Clause, ...]]:
    """Return the clauses of each part with their moves; bare words are read last."""
    rows = _read_all(parts, folded, Carry())
    clauses = [clause for row in rows for clause in row]
    bare = [_is_bare(clause) for clause in clauses] if len(clauses) > 1 else []
    if any(bare) and (all(bare) or any(clause.moves for clause in clauses)):
        return _read_all(parts, folded, Carry(beside=True))
    return rows


def _read_all(parts: Sequence[Part], folded: str, carry: Carry) -> list[tuple[Clause, ...]]:
    rows: list[tuple[Clause, ...]] = []
    for part, following in zip_longest(parts, parts[1:]):
        carry.awaited = following is not None and _opens_with_camera(following)
        rows.append(tuple(_read(part, folded, carry, alone=len(parts) == 1)))
    return rows


def _opens_with_camera(part: Part) -> bool:
    """Tell whether a part goes on with its sentence about a camera: "..., the camera tilts"."""
    first = next((token for token in part.tokens if "determiner" not in token.roles), None)
    return not part.new_sentence and first is not None and first.kind == "camera"


def _is_bare(clause: Clause) -> bool:
    """Tell whether an action that was not read as a move may be the only word that counts."""
    if clause.moves or sum(token.kind == "action" for token in clause.tokens) != 1:
        return False
    return all(token.kind != "word" or token.roles for token in clause.tokens)


def _read(part: Part, folded: str, carry: Carry, *, alone: bool) -> list[Clause]:
    """Return the clauses of `part` with their moves; `carry` is brought up to date.

    `alone`: the part is the whole text, so that one bare word ("rotate") is an order too.
    """
    carry.other = False
    if part.new_sentence and not part.follows and "pronoun" not in part.tokens[0].roles:
        carry.camera = False
    if part.plain:
        carry.camera = carry.camera and all(token.roles for token in part.tokens)
        carry.negated = False
        return [Clause(part.start, part.end, tokens=part.tokens)]
    clauses = split(part)
    carry.negated = carry.negated and any(clause.joined_by("or") for clause in clauses)
    for clause in clauses if not part.spoken else ():
        _Reader(part, clause, folded, carry, alone=alone and len(clauses) == 1).read()
    return clauses


class _Reader:
    """Reads one clause."""

    def __init__(
        self, part: Part, clause: Clause, folded: str, carry: Carry, *, alone: bool
    ) -> None:
        before = folded[max(0, clause.start - 12) : clause.start].rstrip(" ,").rpartition(" ")[2]
        if clause.joined_by("relative") and before not in words("camera"):
            carry.camera = False
        self._seen = before in words("frame") or before in words("seers") or carry.camera
        self._part, self._clause, self._carry, self._alone = part, clause, carry, alone
        self._line = Line.of(clause.tokens, folded, camera=carry.camera)

    def read(self) -> None:
        """Fill in the clause's moves and bring the carry up to date."""
        clause, line = self._clause, self._line
        for i, token in enumerate(line.tokens):
            if token.kind == "action" and (move := self._move(i)):
                clause.moves.append(move)
                line.use(i)
        clause.pure = all(map(line.is_about_camera, range(len(line.tokens))))
        clause.goal = goal_of(line)
        clause.tail = tail_of(line, clause)
        if clause.moves or line.camera_before(len(line.tokens)) is not None:
            self._carry.camera = True
        elif not clause.pure:
            self._carry.camera = False
        self._carry.other = not clause.moves and not clause.pure
        self._carry.negated = bool(clause.moves) and clause.moves[-1].negated

    def _move(self, i: int) -> Move | None:
        line = self._line
        number = int(line.tokens[i].key)
        row = actions()[number]
        turn = turn_of(line, row, i)
        kind = _kind(row, turn) if turn else passing_of(line, row, i) or _kind(row, turn)
        again = i - 1 in line.used and line.text(i) in words("absorbed")  # "pan movement"
        again = again or (row.get("adds") is False and self._has_travelled())
        if kind is None or again or not self._is_camera(row, i, turn):
            return None
        strength = row.get("strength") or speed_of(line, i)
        return Move(kind, strength, is_denied(line, i) or self._is_denied_too(), number)

    def _has_travelled(self) -> bool:
        """Tell whether the clause has a move already: "pan to | follow the car"."""
        axes = vocabulary("moves")
        return any(move.kind and axes[move.kind]["axis"] != "shake" for move in self._clause.moves)

    def _is_denied_too(self) -> bool:
        """Tell whether the "no" of the clause before goes on: "no zoom or pan"."""
        if self._clause.joiner and self._clause.joiner.key in words("denying_joins"):
            return True
        if not self._carry.negated or self._clause.joined_by("join"):
            return False
        detailed = any(token.kind in ("speed", "direction") for token in self._line.tokens)
        return not (self._clause.joined_by("pair") and detailed)

    def _is_camera(self, row: dict[str, Any], i: int, turn: str | None) -> bool:
        level: str = row["level"]
        if self._part.tagged or self._is_guided(row, i):
            return True
        if row.get("handled") and (self._line.has_object(i) or self._line.is_somewhere(i)):
            return False
        if self._carry.awaited and form(self._line.text(i)) == "ing" and self._line.hard(0, i) == 0:
            return True
        if level == "sure":
            return "turns" not in row or not self._has_subject(i)
        if self._is_bare(row, i):
            return True
        if level == "alone":
            others = self._line.hard(0, i) + self._line.hard(i + 1, len(self._line.tokens))
            turned = any(token.kind == "direction" for token in self._line.tokens)
            return others == 0 and self._clause.joiner is None and not turned
        if level == "guided" or not self._opens(row, i, turn):
            return False
        if level == "order":
            return True
        named = level == "plain" or bool(row.get("thing")) or self._line.is_named(i)
        if named and self._line.is_owned(i) and speed_of(self._line, i) is None:
            return False
        return self._fits(row, i, turn) if level == "craft" else self._is_order(row, i, turn)

    def _has_subject(self, i: int) -> bool:
        """Tell whether something other than a camera or a picture does it: "who zooms in"."""
        if self._clause.joined_by("relative") and not self._seen:
            return form(self._line.text(i)) == "finite"
        return self._line.has_subject(i)

    def _is_bare(self, row: dict[str, Any], i: int) -> bool:
        """Tell whether the word alone is an order, because of the clauses beside it."""
        if not (self._carry.beside or (self._alone and row.get("bare"))):
            return False
        return (row["level"] == "plain" or bool(row.get("bare"))) and self._line.is_bare(i)

    def _is_guided(self, row: dict[str, Any], i: int) -> bool:
        """Tell whether a camera, in this clause or still from the one before, does it."""
        line = self._line
        if self._describes_next(row, i):
            return False
        camera = line.camera_before(i)
        if camera is not None:
            moved = bool(line.used) and line.used[-1] > camera
            return line.hard(camera + 1, i) <= (0 if moved else 1)
        if line.used:
            return line.hard(line.used[-1] + 1, i) == 0
        return line.hard(0, i) == 0 and (line.camera_after(i) or self._carry.camera)

    def _describes_next(self, row: dict[str, Any], i: int) -> bool:
        """Tell whether the word is an attribute of the next one: "rising smoke"."""
        following = self._line.next(i)
        if following is None or row.get("object") or is_open(following) or following.roles:
            return False
        return form(self._line.text(i)) == "ing" and row["level"] in ("plain", "craft")

    def _opens(self, row: dict[str, Any], i: int, turn: str | None) -> bool:
        """Tell whether nothing but speeds and such stands before; "dreamy pan left" is fine."""
        line = self._line
        following = line.next(i)
        told = following is not None and following.kind == "direction" and line.ends_after(i + 1)
        led = "" if not i or "determiner" in line.tokens[i - 1].roles else line.tokens[i - 1].kind
        craft = bool(led) and row["level"] == "craft" and not row.get("needs_turn")
        if craft and self._trails(i, told=told, speedy=led == "speed"):
            return True
        adjective = craft and turn is not None and told
        return line.hard(0, i - 1 if adjective else i) == 0

    def _trails(self, i: int, *, told: bool, speedy: bool) -> bool:
        """Tell whether the word ends a text without commas: "a dog on a beach | pan left"."""
        ends = i + 1 + told == len(self._line.tokens) and (told or speedy)
        return ends and form(self._line.text(i)) == "base"

    def _fits(self, row: dict[str, Any], i: int, turn: str | None) -> bool:
        """Tell whether what follows the opening word of craft makes it a move."""
        following, named = self._line.next(i), self._line.is_named(i)
        if following is None:
            said = speed_of(self._line, i) is not None or is_denied(self._line, i)
            return said or not (named or self._is_listed(i))
        if row.get("object") and self._part.new_sentence and self._takes_over(i, following):
            return True
        if following.kind == "direction":
            thing = named and row.get("needs_turn") and self._line.has_more(i)  # "a truck left the"
            return not thing and (turn is not None or bool(row.get("wide")))
        if turn is not None and not named and "determiner" in following.roles:
            return True  # "track the car left"
        if following.kind == "action":  # "dolly shot moving left"
            return not named and not row.get("needs_turn")
        if is_open(following) or "preposition" in following.roles:
            return True
        return bool(row.get("wide") and following.roles) and not named

    def _takes_over(self, i: int, following: Token) -> bool:
        """Tell whether the verb has the next word as its object: "flies around | the castle"."""
        plain = following.kind == "word" and not following.roles
        return plain and form(self._line.text(i)) != "ing"

    def _is_listed(self, i: int) -> bool:
        """Tell whether the word is one of several things: "pots and pans"."""
        listed = self._carry.other and self._clause.joined_by("pair")
        return listed and form(self._line.text(i)) == "finite"

    def _is_order(self, row: dict[str, Any], i: int, turn: str | None) -> bool:
        """Tell whether the opening plain word is an order, or a noun with a speed."""
        line, shape = self._line, form(self._line.text(i))
        first = self._part.new_sentence and self._clause.joiner is None
        rest = turn is not None or line.next(i) is None
        if self._alone and rest and line.hard(0, i) + line.hard(i + 1, len(line.tokens)) == 0:
            return True
        if shape == "finite" or (shape == "ing" and not first):
            return False
        following, speedy = line.next(i), speed_of(line, i) is not None
        if shape == "base" and not speedy and self._carry.other and self._clause.joined_by("join"):
            return False  # "a ship with a roll to the left"
        if following is None:
            turned = turn is not None and bool(row.get("object"))  # "clockwise orbit"
            return speedy or turned or (first and shape == "base" and " " in line.text(i))
        if following.kind == "direction" or turn is not None:
            aimed = following.key in ("toward", "away") and "fixed" in row
            return turn is not None or (aimed and not line.is_named(i))
        governs = line.text(i).rpartition(" ")[2] in words("governing")
        if governs or (row.get("object") and following.roles):
            return not line.is_named(i)
        leads = is_open(following) or "preposition" in following.roles
        return leads and shape == "base" and (following.kind != "frame" or speedy)


def _kind(row: dict[str, Any], turn: str | None) -> str | None:
    if "fixed" in row:
        return row["fixed"]
    if turn is not None:
        return row["turns"][turn]
    return None if row.get("needs_turn") else row.get("default")
