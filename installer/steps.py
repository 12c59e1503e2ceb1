"""What a command is going to do, as a list: told before it is done, undone if one of it fails."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from .console import Trouble, say


def _nothing() -> None:
    pass


@dataclass(frozen=True)
class Step:
    """One change, in words, and how to take it back."""

    text: str
    do: Callable[[], None]
    undo: Callable[[], None] = _nothing


def perform(steps: Sequence[Step], *, dry_run: bool = False) -> None:
    """Do the steps, or only tell them. If one fails, undo those before it in reverse; raise."""
    if dry_run:
        for step in steps:
            say(f"Would: {step.text}")
        return
    done: list[Step] = []
    try:
        for step in steps:
            say(step.text)
            done.append(step)  # a step that fails half-way is undone too
            step.do()
    except (OSError, Trouble, KeyboardInterrupt):
        _undo(done)
        raise


def _undo(done: Sequence[Step]) -> None:
    for step in reversed(done):
        if step.undo is not _nothing:
            say(f"Undoing: {step.text}")
            _try(step.undo)


def _try(undo: Callable[[], None]) -> None:
    """Undo one step; whatever comes of it, the steps before it are undone too."""
    try:
        undo()
    except Trouble as trouble:
        say(f"That did not work: {trouble}")
    except OSError as error:
        say(f"That did not work: {error.strerror or error}.")
