"""What is counted, as a protocol: who counts knows no metrics library, and not who reads them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from sidecar.jobs import Job


@dataclass(frozen=True)
class Answered:
    """One request that was answered. `route`: the template, never a client's own path.

    `received`: bytes of the body.
    """

    method: str
    route: str
    status: int
    seconds: float
    received: int = 0


class Meter(Protocol):
    """Counts; cheap, never blocks, never raises."""

    def answered(self, one: Answered) -> None:
        """Count a request."""
        ...

    def sent(self, route: str, size: int) -> None:
        """Count the bytes of an answer's body, as announced."""
        ...

    def submitted(self, job: Job) -> None:
        """Count a job that is new."""
        ...

    def changed(self, job: Job) -> None:
        """Take note of a job's new state."""
        ...

    def made(self, pipeline: str, size: int) -> None:
        """Count the bytes of a job's files."""
        ...

    def fetched(self, size: int) -> None:
        """Count bytes that came from a picture's address."""
        ...

    def lagged(self, seconds: float) -> None:
        """Take note of how late the event loop was."""
        ...
