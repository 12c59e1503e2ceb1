"""What the clients of a run saw: the only truth that the count at the end is held against.

Pure values and rules of the contract that can be told from the outside. Must not know HTTP.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tests.chaos.plan import Wish

OVER = ("succeeded", "failed", "canceled")


@dataclass
class Seen:
    """All that was seen of one wish by all of its clients."""

    wish: Wish
    ids: set[str] = field(default_factory=set)
    results: dict[str, dict[str, Any]] = field(default_factory=dict)  # by the video's name
    ends: set[str] = field(default_factory=set)
    last: dict[str, Any] = field(default_factory=dict)
    progress: float = 0.0
    wrong: list[str] = field(default_factory=list)
    canceled_asked: bool = False

    def view(self, job: dict[str, Any]) -> None:
        """Take note of a job as the API showed it, and of what must not be so."""
        self.ids.add(job["id"])
        status, value = job["status"], (job.get("progress") or {}).get("value", 0.0)
        if status in ("queued", "running", "succeeded") and value < self.progress - 1e-9:
            self.wrong.append(f"progress went from {self.progress} back to {value}")
        if value >= 1 and status != "succeeded":
            self.wrong.append(f"progress is {value} while the job is {status}")
        if self.ends and status not in self.ends:
            self.wrong.append(f"was {self.ends}, is {status}")
        self.progress = max(self.progress, value)
        if status in OVER:
            self.ends.add(status)
            self.last = job
            if status == "succeeded":
                self.result(job["result"])

    def result(self, result: dict[str, Any]) -> None:
        """Take note of a result; a second, different one is wrong."""
        self.ends.add("succeeded")
        self.ids.add(result["jobId"])
        self.results[str(result["video"]).rpartition("/")[2]] = result


@dataclass
class Record:
    """All wishes of a run by name."""

    seen: dict[str, Seen] = field(default_factory=dict)
    refusals: dict[str, int] = field(default_factory=dict)

    def of(self, wish: Wish) -> Seen:
        """Return the record of a wish."""
        return self.seen.setdefault(wish.name, Seen(wish))

    def refused(self, code: str) -> None:
        """Count an answer that took no job."""
        self.refusals[code] = self.refusals.get(code, 0) + 1

    @property
    def wrong(self) -> list[str]:
        """Everything that clients saw and should not have."""
        return [f"{name}: {what}" for name, one in self.seen.items() for what in one.wrong]
