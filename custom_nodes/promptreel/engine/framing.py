"""Which frame size an aspect and a resolution ask for.

Knows the rows of `vocabulary/framing.json`. Must not know pictures' contents or cameras.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TypeVar

from .errors import ParameterError
from .lexicon import vocabulary
from .values import Extent

SOURCE = "source"
_Row = TypeVar("_Row")


def aspects() -> Mapping[str, float | None]:
    """Return width over height by name; None stands for the picture's own aspect."""
    rows: dict[str, list[int] | None] = vocabulary("framing")["aspects"]
    return MappingProxyType({k: v[0] / v[1] if v else None for k, v in rows.items()})


def resolutions() -> Mapping[str, int]:
    """Return the frame's short side in pixels by name ("720p")."""
    return MappingProxyType(vocabulary("framing")["resolutions"])


ASPECTS: tuple[str, ...] = tuple(aspects())
RESOLUTIONS: tuple[str, ...] = tuple(resolutions())


def frame_extent(source: Extent, aspect: str, resolution: str) -> Extent:
    """Return the even frame size whose short side is `resolution`.

    A source thinner than 1:3 or wider than 3:1 is cropped to that, so that a 30000x10 picture
    gives a frame that can be watched. Raises ParameterError for an unknown name.
    """
    short = _choose(resolutions(), resolution, "resolution")
    chosen = _choose(aspects(), aspect, "aspect")
    ratio = _clamped(source) if chosen is None else chosen
    long = _even(short * max(ratio, 1 / ratio))
    return Extent(long, _even(short)) if ratio >= 1 else Extent(_even(short), long)


def _clamped(source: Extent) -> float:
    least, most = vocabulary("framing")["source_limits"]
    return min(max(source.aspect, least), most)


def _even(value: float) -> int:
    return 2 * round(value / 2)


def _choose(rows: Mapping[str, _Row], name: str, what: str) -> _Row:
    if name not in rows:
        raise ParameterError(f"Unknown {what} {name!r}: use one of {', '.join(rows)}.")
    return rows[name]
