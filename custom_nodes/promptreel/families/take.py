"""What a model is really asked for, and what is told about the difference to the wish.

Pure arithmetic and sentences over a family's limits; must not know scenes, nodes or pictures.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from .base import Family, FamilyError, Limits, Model, Options, Sampling, StillLimits
from .limits import bounded, is_slim

DEFAULT = "default"  # the choice of a sampler's widget that keeps the family's own
USUAL_SECONDS = 5.0  # where nobody says a length


@dataclass(frozen=True)
class Chosen:
    """What a loader was set to: a family's id, role -> file, its switches, and what is seen.

    `kinds`: role -> what a file's header says that it is (`base.Kinds`).
    """

    family: str
    files: Mapping[str, str]
    options: Options
    kinds: Mapping[str, str] = field(default_factory=dict[str, str])

    def text(self) -> str:
        """Return it as one text."""
        return json.dumps(asdict(self), sort_keys=True)

    @staticmethod
    def of(text: str) -> Chosen:
        """Undo `text`."""
        said: dict[str, Any] = json.loads(text)
        options = Options(**said.pop("options"))
        return Chosen(**said, options=options)


@dataclass(frozen=True)
class Wish:
    """What somebody asks of a model; 0 stands for the model's own.

    `picture` is the start picture's width and height; `ends`: there is an end picture.
    `asked` is the length as somebody said it, where `seconds` is the allowed one nearest to it.
    """

    picture: tuple[int, int]
    width: int = 0
    height: int = 0
    seconds: float = 0.0
    fps: float = 0.0
    ends: bool = False
    asked: float = 0.0


@dataclass(frozen=True)
class Knobs:
    """The advanced wishes; 0 and "default" stand for the family's official values."""

    steps: int = 0
    cfg: float = 0.0
    sampler: str = DEFAULT
    scheduler: str = DEFAULT
    shift: float = 0.0


@dataclass(frozen=True)
class Take:
    """A legal shot: size in pixels, frames, frames per second; and remarks, each a sentence."""

    width: int
    height: int
    frames: int
    fps: float
    remarks: tuple[str, ...] = ()

    def lines(self) -> list[str]:
        """Return what is shown of it, a line each."""
        length = f"{self.frames} frames, {self.frames / self.fps:.3g} s at {self.fps:g} fps"
        return [f"{self.width}x{self.height}, {length}", *self.remarks]


def take(family: Family, chosen: Chosen, wish: Wish) -> Take:
    """Return the legal shot nearest to a wish. Raises FamilyError for what can't be."""
    limits = family.limits(chosen.files, chosen.options, chosen.kinds)
    if wish.ends and not limits.takes_end:
        raise FamilyError(_no_end(family, chosen))
    size = extent(limits, wish)
    fps = wish.fps or limits.fps
    seconds = wish.seconds or min(USUAL_SECONDS, limits.seconds(fps))
    frames = limits.frames(seconds, fps)
    remarks = (
        *sized(family, limits, wish, size),
        _retimed(family, limits, wish.asked or wish.seconds, frames, fps),
        _rerated(family, limits, fps),
    )
    return Take(*size, frames, fps, tuple(filter(None, remarks)))


def extent(limits: StillLimits, wish: Wish) -> tuple[int, int]:
    """Return the legal size: near the asked one, else of the model's own area.

    A side of 0 follows from the other one and the picture's aspect, 3:1 at most.
    """
    wide, tall = bounded(wish.picture)
    if wish.width and wish.height:
        return limits.extent_near(wish.width, wish.height)
    if wish.width:
        return limits.extent_near(wish.width, wish.width * tall / wide)
    if wish.height:
        return limits.extent_near(wish.height * wide / tall, wish.height)
    return limits.extent_for(wide, tall)


def sized(model: Model, limits: StillLimits, wish: Wish, made: tuple[int, int]) -> tuple[str, ...]:
    """Return the sentences about a size: other than asked, cropped to 3:1, far too large."""
    other, slim = _resized(model, limits, wish, made), _slimmed(wish)
    return tuple(filter(None, (other, slim, _beyond(model, limits, made))))


def _resized(model: Model, limits: StillLimits, wish: Wish, made: tuple[int, int]) -> str:
    """Return the sentence about a size that is not the asked one, or ""."""
    asked = (wish.width or made[0], wish.height or made[1])
    if asked == made:
        return ""
    said = f"{asked[0]}x{asked[1]}"
    if not wish.height:
        said = f"A width of {wish.width}"
    elif not wish.width:
        said = f"A height of {wish.height}"
    return (
        f"{said} was asked; {model.title} makes multiples of {limits.side_step} "
        f"from {limits.min_side} to {limits.max_side}, so it is {made[0]}x{made[1]}."
    )


def _slimmed(wish: Wish) -> str:
    """Return the sentence about a shape slimmer than 3:1: an asked one, or the picture's."""
    asked = wish.width and wish.height
    wide, tall = (wish.width, wish.height) if asked else wish.picture
    if not is_slim(wide, tall):
        return ""
    if asked:
        return f"{wide}x{tall} is slimmer than 3:1: video models have hardly seen such a shape."
    return f"The picture, {wide}x{tall}, is slimmer than 3:1: only its middle is used."


def _beyond(model: Model, limits: StillLimits, made: tuple[int, int]) -> str:
    """Return the sentence about a size far beyond what the model was made for, or ""."""
    times, (wide, tall) = limits.beyond(*made), limits.made_for
    if not times:
        return ""
    return (
        f"{made[0]}x{made[1]} has {times:.2g} times the pixels that {model.title} was made for "
        f"({wide}x{tall}): expect flaws, and much more memory and time."
    )


def tuned(model: Model, official: Sampling, knobs: Knobs) -> Sampling:
    """Return the official sampling with what the knobs change. FamilyError: it has no such knob."""
    if knobs.shift and official.shift is None:
        raise FamilyError(f"{model.title} has no shift: leave it at 0.")
    return replace(
        official,
        steps=knobs.steps or official.steps,
        cfg=knobs.cfg or official.cfg,
        sampler=official.sampler if knobs.sampler == DEFAULT else knobs.sampler,
        scheduler=official.scheduler if knobs.scheduler == DEFAULT else knobs.scheduler,
        shift=knobs.shift or official.shift,
    )


def _no_end(family: Family, chosen: Chosen) -> str:
    if family.takes_end:
        name = next(iter(chosen.files.values()), family.title)
        return f"{name} takes no end picture: disconnect it, or choose a first-last-frame model."
    return f"{family.title} takes no end picture: disconnect it, or load a model that takes one."


def _retimed(family: Family, limits: Limits, asked: float, frames: int, fps: float) -> str:
    """Return the sentence about a length beyond the model's shortest or longest, or ""."""
    bound = _bound(limits, asked * fps, frames) if asked else ""
    if not bound:
        return ""
    return (
        f"{asked:g} s was asked; {family.title} makes {bound} {frames} frames: "
        f"{frames / fps:.3g} s at {fps:g} fps."
    )


def _bound(limits: Limits, asked: float, frames: int) -> str:
    """Return which bound made the frames other than asked, by more than half a frame; or "".

    Between the bounds they are the nearest legal count, and nobody needs to be told.
    """
    if frames == limits.max_frames and asked > frames + 0.5:
        return "at most"
    if frames == limits.min_frames and asked + limits.frame_offset < frames - 0.5:
        return "at least"
    return ""


def _rerated(family: Family, limits: Limits, fps: float) -> str:
    if fps == limits.fps:
        return ""
    seems = "faster" if fps > limits.fps else "slower"
    own = f"{family.title} moves at {limits.fps:g} fps"
    return f"{own}: at {fps:g} fps its motion looks {seems}."
