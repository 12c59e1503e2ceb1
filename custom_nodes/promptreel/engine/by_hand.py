"""Puts one camera move that somebody chose by hand into a scene.

Knows how the move and the text's own camera come together. Must not know how a text is read.
"""

from __future__ import annotations

from dataclasses import replace

from .errors import ParameterError
from .lexicon import vocabulary
from .values import CameraMove, Scene, Shot

STATIC = "static"
ADD, REPLACE, THEN = "add", "replace", "then"


def moves() -> list[str]:
    """Return the camera moves' names, standing still first."""
    return [STATIC, *vocabulary("moves")]


def with_move(scene: Scene, move: str, strength: float, seconds: float, mode: str) -> Scene:
    """Return the scene with a move instead of its own, along with them, or after them.

    Raises ParameterError for an unknown move or mode.
    """
    shots = _shots(scene, _shot(move, strength, seconds), mode)
    return replace(scene, shots=shots, explicit_camera=True)


def _shot(move: str, strength: float, seconds: float) -> Shot:
    if move not in moves():
        raise ParameterError(f"Unknown camera move {move!r}: use one of {', '.join(moves())}.")
    made = () if move == STATIC else (CameraMove(move, strength),)
    return Shot(made, seconds or None)


def _shots(scene: Scene, shot: Shot, mode: str) -> tuple[Shot, ...]:
    """Return the shots with `shot` put in. A text without camera words has none to keep."""
    kept = scene.shots if scene.explicit_camera else ()
    if mode == REPLACE or (not kept and mode in (ADD, THEN)):
        return (shot,)
    if mode == THEN:
        return (*kept, shot)
    if mode == ADD:
        return tuple(_joined(old, shot) for old in kept)
    raise ParameterError(f"Unknown mode {mode!r}: use one of {ADD}, {REPLACE}, {THEN}.")


def _joined(old: Shot, new: Shot) -> Shot:
    """Return `old` with the moves of `new` at the same time; a move that both make is `new`'s."""
    kinds = {move.kind for move in new.moves}
    kept = tuple(move for move in old.moves if move.kind not in kinds)
    return replace(old, moves=kept + new.moves)
