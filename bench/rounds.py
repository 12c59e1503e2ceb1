"""Interleaved rounds and tables: what is compared runs A B C, A B C, in one process.

Absolute times drift on a busy machine; the median of the rounds' own ratios does not.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

Task = Callable[[], object]


@dataclass(frozen=True)
class Rounds:
    """Wall seconds of each task in each round."""

    walls: Mapping[str, Sequence[float]]

    def wall(self, name: str) -> float:
        """Return the median time of a task."""
        return median(self.walls[name])

    def ratio(self, name: str, base: str) -> float:
        """Return the median over the rounds of a task's time over another's."""
        pairs = zip(self.walls[name], self.walls[base], strict=True)
        return median(a / b for a, b in pairs)


def interleaved(tasks: Mapping[str, Task], rounds: int) -> Rounds:
    """Run every task in every round, after one unmeasured warm-up."""
    walls: dict[str, list[float]] = {name: [] for name in tasks}
    for task in tasks.values():
        task()
    for _ in range(rounds):
        for name, task in tasks.items():
            walls[name].append(_timed(task))
    return Rounds(walls)


def _timed(task: Task) -> float:
    start = time.perf_counter()
    task()
    return time.perf_counter() - start


@dataclass(frozen=True)
class Check:
    """One figure beside what is asked of it; `most` or `least` is None where it has none."""

    what: str
    value: float
    unit: str = "x"
    most: float | None = None
    least: float | None = None

    @property
    def holds(self) -> bool:
        """Whether the figure is within its limits."""
        return (self.most is None or self.value <= self.most) and (
            self.least is None or self.value >= self.least
        )

    def row(self) -> str:
        """Return the figure's line of the table."""
        asked = [f"<= {self.most:g}"] if self.most is not None else []
        asked += [f">= {self.least:g}"] if self.least is not None else []
        verdict = ("yes" if self.holds else "NO") if asked else ""
        return f"| {self.what} | {self.value:.4g} {self.unit} | {' '.join(asked)} | {verdict} |"


def table(title: str, checks: Sequence[Check]) -> str:
    """Return a Markdown table."""
    head = f"\n**{title}**\n\n| figure | measured | asked | holds |\n|---|---|---|---|\n"
    return head + "\n".join(check.row() for check in checks)
