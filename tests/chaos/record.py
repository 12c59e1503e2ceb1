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
    heard: str = ""  # the last event of the one client that follows the stream
    heard_progress: float = 0.0
    result_heard: bool = False

    def hear(self, kind: str, mark: str, data: dict[str, Any]) -> None:
        """Take note of an event, and of what must not be so: after a break, the rest and no more.

        Only the place of a job that waits may be told again.
        """
        waits = kind == "status" and data.get("status") == "queued"
        if self.heard and _order(mark) <= _order(self.heard) and not waits:
            self.wrong.append(f"the event {mark} ({kind}) came after {self.heard}")
        if self.result_heard:
            self.wrong.append(f"the event {mark} ({kind}) came after the result")
        self.heard, self.result_heard = mark, kind == "result"
        if kind in ("status", "result") and data["status"] in OVER:
            self.view(data)  # earlier states may come later than another client's answer
        elif kind == "progress":
            if data["value"] < self.heard_progress:
                self.wrong.append(f"told progress {self.heard_progress}, then {data['value']}")
            self.heard_progress = data["value"]

    def before(self) -> tuple[set[str], float]:
        """Return what is known when a request is sent: its answer may come late, not go back."""
        return set(self.ends), self.progress

    def view(self, job: dict[str, Any], before: tuple[set[str], float] | None = None) -> None:
        """Take note of a job as the API showed it, and of what must not be so."""
        ends, progress = before or self.before()
        self.ids.add(job["id"])
        status, value = job["status"], (job.get("progress") or {}).get("value", 0.0)
        if status in ("queued", "running", "succeeded") and value < progress - 1e-9:
            self.wrong.append(f"progress went from {progress} back to {value}")
        if value >= 1 and status != "succeeded":
            self.wrong.append(f"progress is {value} while the job is {status}")
        ends = ends if status not in OVER else self.ends
        if ends and status not in ends:
            self.wrong.append(f"was {ends}, is {status}")
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


def _order(mark: str) -> tuple[int, ...]:
    """Return an event's id as numbers that only grow."""
    return tuple(map(int, mark.split(".")))


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
