"""The output formats: one JSON file each in `formats/`, with its limits inside.

Knows the rows. Must not know how a file is encoded (`encode`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from .errors import ParameterError
from .values import Extent, Fps

_FOLDER = Path(__file__).with_name("formats")


@dataclass(frozen=True)
class Format:
    """A kind of video file. The names and options are FFmpeg's."""

    name: str
    title: str
    container: str
    codec: str
    encoder: str
    pix_fmt: str
    extension: str
    mime: str
    options: Mapping[str, str]
    container_options: Mapping[str, str]
    max_side: int
    max_fps: int

    def check(self, extent: Extent, fps: Fps) -> None:
        """Raise ParameterError where this format can't hold such a video."""
        if max(extent.width, extent.height) > self.max_side:
            raise ParameterError(
                f"{self.title} holds at most {self.max_side} pixels a side, not {extent}."
            )
        if fps > self.max_fps:
            raise ParameterError(f"{self.title} holds at most {self.max_fps} fps, not {fps}.")


def load(folder: Path = _FOLDER) -> Mapping[str, Format]:
    """Return the formats of a folder by name; the name is the file's."""
    rows = {path.stem: json.loads(path.read_text("utf-8")) for path in folder.glob("*.json")}
    return MappingProxyType({name: Format(name=name, **rows[name]) for name in sorted(rows)})


FORMATS: Mapping[str, Format] = load()


def format_named(name: str) -> Format:
    """Return the format; raise ParameterError for an unknown name."""
    if name not in FORMATS:
        raise ParameterError(f"Unknown format {name!r}: use one of {', '.join(FORMATS)}.")
    return FORMATS[name]
