"""Cuts a part into clauses at the words that join them: "and", "while", "who", "with"...

Knows the roles of words. Must not know which actions are the camera's: `phrases` tells.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from .tokens import Part, Token

_LONGEST = 60  # tokens of a clause; readers look back and forth in it, so it has to have an end
_JOINS = frozenset(("join", "pair", "relative", "or"))


@dataclass(frozen=True)
class Move:
    """An action of the camera. `kind` "" stands for no motion; `row` is its index in `actions`."""

    kind: str
    strength: float | None
    negated: bool
    row: int


@dataclass
class Clause:
    """The tokens up to the next joining word, and (once read) what they ask of the camera.

    `start` includes the joining word. `pure`: nothing but words about the camera. `goal`: where
    the words for what the camera looks at begin, after the last move ("zoom in on | the house").
    `tail`: where they end, if a direction of the move follows ("around the house | clockwise").
    """

    start: int
    end: int
    joiner: Token | None = None
    tokens: list[Token] = field(default_factory=list[Token])
    moves: list[Move] = field(default_factory=list[Move])
    pure: bool = False
    goal: int | None = None
    tail: int | None = None

    def joined_by(self, role: str) -> bool:
        """Tell whether the joining word is in that list of `words.json`."""
        return self.joiner is not None and role in self.joiner.roles


def split(part: Part) -> list[Clause]:
    """Return the clauses of `part`; of several joining words in a row the first one counts."""
    clauses = [Clause(part.start, part.end)]
    for token in part.tokens:
        last = clauses[-1]
        if len(last.tokens) >= _LONGEST:
            last.end = token.start
            clauses.append(last := Clause(token.start, part.end, token))
        if token.kind != "together" and token.roles.isdisjoint(_JOINS):
            last.tokens.append(token)
        elif last.tokens or not last.joiner:
            last.end = token.start
            clauses.append(Clause(token.start, part.end, token))
    return [clause for clause in clauses if clause.tokens or clause.joiner]
