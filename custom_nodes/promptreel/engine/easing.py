"""How a shot starts, runs and stops: smooth ramps around a constant speed.

Knows time only. Must not know cameras.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Ease:
    """A stretch of time that is entered and left smoothly.

    The speed climbs by a smoothstep during `ramp_in`, stays constant and falls during
    `ramp_out`. Two stretches that overlap by equal ramps hand over without a jolt: their
    weights add up to 1 there.
    """

    start: float
    end: float
    ramp_in: float
    ramp_out: float

    def weight(self, t: float) -> float:
        """Return the speed at `t` as a part of the full speed, 0..1."""
        if not self.start < t < self.end:
            return 0.0
        rise = min((t - self.start) / self.ramp_in, 1.0)
        fall = min((self.end - t) / self.ramp_out, 1.0)
        return _smoothstep(rise) * _smoothstep(fall)

    def progress(self, t: float) -> float:
        """Return how much of the way is done at `t`, 0..1: the integral of `weight`."""
        if t <= self.start:
            return 0.0
        if t >= self.end:
            return 1.0
        rise = self.ramp_in * _rise_area(min((t - self.start) / self.ramp_in, 1.0))
        flat = min(t, self.end - self.ramp_out) - self.start - self.ramp_in
        fall = self.ramp_out * (0.5 - _rise_area(min((self.end - t) / self.ramp_out, 1.0)))
        return (rise + max(flat, 0.0) + fall) / self._area()

    def _area(self) -> float:
        return self.end - self.start - (self.ramp_in + self.ramp_out) / 2


def _smoothstep(u: float) -> float:
    return u * u * (3 - 2 * u)


def _rise_area(u: float) -> float:
    """Return the integral of the smoothstep from 0 to `u`; a half at 1."""
    return u * u * u * (1 - u / 2)
