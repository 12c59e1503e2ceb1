"""What is to be made and what was made, as plain values. Must not know how it is made."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

Tell = Callable[[float, str], None]  # how much is done, in 0..1, and a word about it


class MakingError(Exception):
    """Why there is no video: one sentence that says what to do."""


class WrongOrder(MakingError):
    """What was asked for can't be made as it was asked."""


@dataclass(frozen=True)
class Order:
    """A picture's bytes, a text, and where the video (and its first frame) go.

    `params`: the further parameters as texts, checked by whoever makes it. `pipeline`: blank for
    the best one.
    """

    picture: bytes
    text: str
    video: Path
    still: Path | None = None
    params: Mapping[str, str] = field(default_factory=dict[str, str])
    pipeline: str = ""
    force: bool = False


@dataclass(frozen=True)
class Made:
    """What was made: the file, how long and how large it is, what was understood of the text."""

    file: Path
    still: Path | None
    seconds: float
    width: int
    height: int
    frames: int
    bytes: int
    pipeline: str
    understood: str
