"""Run the sidecar with a watch on its event loop, without touching its code.

    python -m tests.chaos.watched REPORT.jsonl [options of the sidecar]

Every callback of the loop that takes 50 ms or more is one line of the report: its wall time, and
what its thread computed in it (a busy machine lengthens the first, not the second).
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from pathlib import Path

from sidecar.__main__ import main

SLOW_S = 0.05


def watch(report: Path) -> None:
    """Time every callback of every event loop of this process from now on."""
    run = asyncio.Handle._run

    def timed(self: asyncio.Handle) -> None:
        wall, cpu = time.perf_counter(), time.thread_time()
        run(self)
        took = time.perf_counter() - wall
        if took >= SLOW_S:
            computed = time.thread_time() - cpu
            line = {"wall": took, "cpu": computed, "at": time.time(), "what": repr(self)[:300]}
            with report.open("a", encoding="utf-8") as file:
                file.write(json.dumps(line) + "\n")

    asyncio.Handle._run = timed


if __name__ == "__main__":
    watch(Path(sys.argv[1]))
    sys.exit(main(sys.argv[2:]))
