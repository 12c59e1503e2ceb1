"""How long a job may take, and what is said when it took longer. Knows settings' names only."""

from __future__ import annotations

from dataclasses import dataclass

from .values import JobError


@dataclass(frozen=True)
class Limits:
    """Seconds; None: as long as it takes. `start`: from the order until ComfyUI begins it;
    `total`: from its first start to its end, every attempt counted.
    """

    start_s: float | None = None
    total_s: float | None = None


def not_started(seconds: float) -> JobError:
    """Return why a job that waited too long was given up."""
    return JobError(
        "not_started_in_time",
        f"The job waited {seconds:g} s and ComfyUI did not begin it: send it again when less is "
        "waiting.",
        "The operator sets by PROMPTREEL_START_SECONDS how long a job may wait.",
    )


def took_too_long(seconds: float) -> JobError:
    """Return why a job that took too long was stopped."""
    return JobError(
        "took_too_long",
        f"The job took more than {seconds:g} s and was stopped: ask for a shorter or smaller "
        "video.",
        "The operator sets by PROMPTREEL_TOTAL_SECONDS how long a job may take.",
    )
