"""Reads what the ledger node of one ComfyUI wrote down, and the number that a video shows."""

from __future__ import annotations

import io
import json
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np

CELLS = 8


@dataclass(frozen=True)
class Line:
    """One line: a prompt that was posted, or a run that came to its end."""

    kind: str
    boot: str
    at: float
    text: str | None
    prompt_id: str
    number: str = ""


@dataclass(frozen=True)
class Ledger:
    """All lines of all servers."""

    lines: tuple[Line, ...]

    @classmethod
    def read(cls, folders: Iterable[Path]) -> Ledger:
        """Read the ledgers of ComfyUI base folders."""
        lines: list[Line] = []
        for folder in folders:
            path = folder / "ledger.jsonl"
            if path.is_file():
                lines += [Line(**json.loads(text)) for text in path.read_text().splitlines()]
        return cls(tuple(sorted(lines, key=lambda line: line.at)))

    def by_name(self, kind: str) -> dict[str, list[Line]]:
        """Return the lines of a kind by the text of their job."""
        found: dict[str, list[Line]] = defaultdict(list)
        for line in self.lines:
            if line.kind == kind and line.text is not None:
                found[line.text].append(line)
        return found


@dataclass(frozen=True)
class Film:
    """What is in a video: number of frames, size, and the number that the ledger node drew."""

    frames: int
    size: tuple[int, int]
    number: str


def watch(data: bytes) -> Film:
    """Decode a video to its end. Raises what PyAV raises, and IndexError if it has no frame."""
    with av.open(io.BytesIO(data)) as container:
        frames = [frame.to_ndarray(format="gray") for frame in container.decode(video=0)]
    height, width = frames[0].shape
    return Film(len(frames), (width, height), _number(frames[-1]))


def _number(frame: np.ndarray) -> str:
    height, width = frame.shape
    if height != width or height % CELLS:
        return ""
    cells = frame.reshape(CELLS, height // CELLS, CELLS, width // CELLS).mean(axis=(1, 3))
    bits = (cells > 127).ravel()
    return f"{sum(1 << place for place, bit in enumerate(bits) if bit):016x}"
