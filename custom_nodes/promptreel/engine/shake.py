"""The sway of a camera held by hand: smooth seeded noise, a pure function of time.

A sum of a few slow sines per axis: bounded by 1, free of jitter at any frame rate.
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass

# Hertz and share of each sine: the sway of a body and of arms, far below a frame's rate.
_SINES = ((0.23, 0.42), (0.47, 0.28), (0.83, 0.18), (1.27, 0.12))


@dataclass(frozen=True)
class Sway:
    """One axis: the phases and rates that its seed chose."""

    phases: tuple[float, ...]
    rates: tuple[float, ...]

    def at(self, seconds: float) -> float:
        """Return the sway at a time, -1..1."""
        rows = zip(_SINES, self.rates, self.phases, strict=True)
        return sum(
            share * math.sin(2 * math.pi * (hertz * rate * seconds + phase))
            for (hertz, share), rate, phase in rows
        )


def sways(seed: int, count: int) -> tuple[Sway, ...]:
    """Return independent axes for a seed."""
    rng = random.Random(seed)  # noqa: S311  a picture's sway is no secret
    return tuple(
        Sway(
            tuple(rng.random() for _ in _SINES),
            tuple(rng.uniform(0.85, 1.15) for _ in _SINES),
        )
        for _ in range(count)
    )
