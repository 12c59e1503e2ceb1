"""Decides how long the shots last: lengths said with a move, and lengths said on their own.

Must not know words or moves.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from .clauses import Clause
from .durations import Duration
from .limits import clamp_seconds
from .values import Shot

USUAL_STEP = 5  # seconds; one longer length at the end of a sequence is the whole sequence's


@dataclass(frozen=True)
class _Loose:
    """A length away from any move. `pure`: it doesn't stand among words about the subject."""

    duration: Duration
    pure: bool


class Timing:
    """Collects the lengths of a text, clause by clause."""

    def __init__(self) -> None:
        self._own: dict[int, float] = {}  # by shot
        self._loose: list[_Loose] = []
        self._shot = -1
        self._spread: dict[int, Duration] = {}  # by shot: lengths that may be the whole's

    def would_repeat(self, clause: Clause) -> bool:
        """Tell whether the current shot has a length and `clause`, with a move, says another."""
        return self._shot in self._own and any(not d.total for d in _durations(clause))

    def take(self, clause: Clause, shot: int | None) -> None:
        """Note the lengths of `clause`, which moves the camera in `shot` (None: it doesn't)."""
        self._shot = self._shot if shot is None else shot
        for duration in _durations(clause):
            if shot is None or duration.total:
                self._loose.append(_Loose(duration, clause.pure))
                continue
            if shot not in self._own and clause.tokens[-1].duration is duration:
                self._spread[shot] = duration
            self._own.setdefault(shot, duration.seconds)

    def apply(self, shots: Sequence[Shot]) -> tuple[tuple[Shot, ...], float | None]:
        """Return the shots with their lengths, and the length of the whole that was asked for.

        The shots' lengths agree with the whole that is allowed.
        """
        own = self._own if len(shots) > 1 else {}
        total = self._total()
        if total is None and (whole := self._whole(len(shots))) is not None:
            own, total = {}, whole
        alone = [row.duration.seconds for row in self._loose if not row.duration.total]
        if total is None and len(shots) > 1 and len(alone) == len(shots) and not own:
            own = dict(enumerate(alone))
        elif total is None and alone and all(row.duration.cue for row in self._loose):
            total = sum(alone)
        elif total is None and self._loose:
            total = next((r for r in self._loose if r.pure), self._loose[0]).duration.seconds
        elif total is None and self._own:
            total = _sum(self._own, len(shots))
        return _fit(shots, own, total)

    def _whole(self, shots: int) -> float | None:
        """Return the length of the last shot if it is the only one and means all of them."""
        last = self._spread.get(shots - 1)
        if shots < 2 or self._loose or last is None or list(self._own) != [shots - 1]:
            return None
        return last.seconds if last.spread or last.seconds > USUAL_STEP else None

    def _total(self) -> float | None:
        return next((r.duration.seconds for r in self._loose if r.duration.total), None)


def _durations(clause: Clause) -> list[Duration]:
    return [token.duration for token in clause.tokens if token.duration]


def _sum(own: dict[int, float], shots: int) -> float:
    """Return the whole length; shots without a length count as long as the average one."""
    return sum(own.values()) / len(own) * max(shots, len(own))


def _fit(
    shots: Sequence[Shot], own: dict[int, float], total: float | None
) -> tuple[tuple[Shot, ...], float | None]:
    """Make the parts agree with the whole, as the limits allow it; return the whole as said."""
    if own and total is None:
        total = _sum(own, len(shots))
    if total is None:
        return tuple(shots), None
    allowed = clamp_seconds(total)
    said = sum(own.values())
    scale = allowed / total
    if len(own) == len(shots):
        scale = allowed / said
    elif said >= total:
        scale = allowed * len(own) / len(shots) / said
    timed = (
        replace(shot, seconds=round(own[i] * scale, 3)) if i in own else shot
        for i, shot in enumerate(shots)
    )
    return tuple(timed), total
