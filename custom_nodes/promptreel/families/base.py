"""What a model family is: the files it needs, its limits, and the graph of core nodes it becomes.

Knows the shape of a graph (nodes and links between them). Must not know torch, ComfyUI's modules,
scenes or node classes of this pack: everything arrives as plain values and leaves as links.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import ClassVar

from .errors import FamilyError, HeaderError
from .headers import Header
from .limits import Limits, StillLimits
from .values import (
    Builder,
    Drawing,
    Link,
    ModelFile,
    Node,
    Options,
    Parts,
    Sampling,
    Shoot,
    Slot,
)

__all__ = [
    "UNSEEN",
    "Builder",
    "Drawing",
    "Family",
    "FamilyError",
    "Header",
    "HeaderError",
    "KeyframeFamily",
    "Kinds",
    "Limits",
    "Link",
    "Model",
    "ModelFile",
    "Node",
    "Options",
    "Parts",
    "Sampling",
    "Shoot",
    "Slot",
    "StillLimits",
]

Files = Mapping[str, str]
"""What was chosen: a slot's role -> a file's name in its folder."""
Kinds = Mapping[str, str]
"""What chosen files surely are, by their headers: a slot's role -> a kind's id (`kinds.py`).

A role is absent where that can't be seen: then a file's name decides.
"""
UNSEEN: Kinds = {}


class Model(ABC):
    """What every family has: an id, the loader node's class, and the files it loads.

    `speaks` are the languages of the text encoder ("en", "ru"); empty: it takes no words.
    `prompts` names the file in `data/prompts` that says how it is spoken to.
    `switches` are the fields of `Options` that mean something here.
    """

    id: ClassVar[str]
    title: ClassVar[str]
    node_id: ClassVar[str]
    prompts: ClassVar[str]
    slots: ClassVar[tuple[Slot, ...]]
    speaks: ClassVar[tuple[str, ...]] = ("en",)
    switches: ClassVar[tuple[str, ...]] = ("weight_dtype",)

    def needed(self, options: Options) -> tuple[Slot, ...]:
        """Return the slots that can't stay empty with these options."""
        return tuple(slot for slot in self.slots if not slot.optional or options.fast)

    @abstractmethod
    def load(self, graph: Builder, files: Files, options: Options) -> Parts:
        """Add the core loader nodes for the chosen files and return links to what they load."""

    @abstractmethod
    def check(self, headers: Mapping[str, Header]) -> None:
        """Raise FamilyError where the chosen files (role -> header) surely don't fit together."""


class Family(Model):
    """A model that turns a picture into frames.

    `takes_end`: there are files with which it takes an end picture too (`Limits.takes_end`).
    """

    takes_end: ClassVar[bool] = False

    @abstractmethod
    def limits(self, files: Files, options: Options, kinds: Kinds = UNSEEN) -> Limits:
        """Return what the chosen files were made for."""

    @abstractmethod
    def sampling(self, files: Files, options: Options, end: bool = False) -> Sampling:
        """Return the official values for the chosen files, with an end picture or without."""

    @abstractmethod
    def shoot(self, graph: Builder, parts: Parts, asked: Shoot) -> Link:
        """Add the core nodes from text and picture to the decoded frames; return their IMAGE."""


class KeyframeFamily(Model):
    """A model that turns a picture and words into the still that a video starts from.

    `strengths`: what the strength widget's words stand for, as shares of noise. The words are the
    keys of `STRENGTHS` in every family; an edit model is told in words how much may change.
    """

    strengths: ClassVar[Mapping[str, float]]

    @abstractmethod
    def limits(self, files: Files, options: Options, kinds: Kinds = UNSEEN) -> StillLimits:
        """Return the sizes the chosen files were made for."""

    @abstractmethod
    def sampling(self, files: Files, options: Options, kinds: Kinds = UNSEEN) -> Sampling:
        """Return the official values for the chosen files."""

    @abstractmethod
    def draw(self, graph: Builder, parts: Parts, asked: Drawing) -> Link:
        """Add the core nodes from text and picture to the decoded still; return its IMAGE."""


STRENGTHS = ("keep the picture", "retouch", "restyle", "reinvent")
"""The plain words of the strength widget, from the least change to the most."""
