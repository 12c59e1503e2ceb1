"""The sidecar as a process: started, killed, stopped, and looked at from outside (/proc).

Knows the command line and Linux. Must not know jobs.
"""

from __future__ import annotations

import asyncio
import os
import resource
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from tests.e2e.comfyui_server import _free_port

ROOT = Path(__file__).parents[2]
START_S = 60.0


@dataclass(frozen=True)
class Body:
    """What a process takes: resident megabytes and open files."""

    rss_mb: float
    files: int


class SidecarProcess:
    """`python -m sidecar` on one port and one data folder; survives any number of kills.

    `within`: a command that the sidecar's own follows. `hasty`: with short leases.
    """

    def __init__(
        self,
        base: Path,
        *options: str,
        watched: bool = False,
        within: Sequence[str] = (),
        hasty: bool = False,
    ) -> None:
        self.data_dir = base / "data"
        self.port = _free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log_path = base / "sidecar.log"
        self.slow_path = base / "slow.jsonl"
        self.starts = 0
        self._module = ["tests.chaos.hasty"] if hasty else ["sidecar"]
        if watched:
            self._module = ["tests.chaos.watched", str(self.slow_path)]
        self._options = options
        self._within = within
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """The process id of the one that runs now."""
        assert self._process is not None
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether it runs."""
        return self._process is not None and self._process.poll() is None

    async def start(self) -> float:
        """Start; return after how many seconds it answered."""
        begun = time.monotonic()
        self._process = self._spawn()
        self.starts += 1
        await self._answering()
        return time.monotonic() - begun

    def _spawn(self) -> subprocess.Popen[bytes]:
        environment = {n: v for n, v in os.environ.items() if not n.startswith("PROMPTREEL_")}
        environment.pop("COMFYUI_SERVER_URL", None)
        process = subprocess.Popen(
            [*self._within, sys.executable, "-m", *self._module, *self._arguments()],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=ROOT,
            env=environment,
            start_new_session=True,
        )
        threading.Thread(target=self._keep_log, args=(process,), daemon=True).start()
        return process

    def _keep_log(self, process: subprocess.Popen[bytes]) -> None:
        """Write down what it says; by a pipe, since its own files may not grow (`limit_files`)."""
        assert process.stdout is not None
        with process.stdout, self.log_path.open("ab") as log:
            for line in process.stdout:
                log.write(line)
                log.flush()

    def _arguments(self) -> list[str]:
        place = ["--port", str(self.port), "--data-dir", str(self.data_dir)]
        return [*place, *self._options]

    async def _answering(self) -> None:
        deadline = time.monotonic() + START_S
        async with aiohttp.ClientSession() as session:
            while True:
                try:
                    async with session.get(f"{self.url}/api/health") as answer:
                        if answer.status == 200:
                            return
                except aiohttp.ClientError:
                    pass
                if not self.running or time.monotonic() > deadline:
                    raise RuntimeError(f"The sidecar did not start:\n{self.log()[-4000:]}")
                await asyncio.sleep(0.02)

    def kill(self) -> None:
        """End it at once: kill -9."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(10)

    def suspend(self, suspended: bool) -> None:
        """Let it stand still, as a machine that sleeps does, or go on."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP if suspended else signal.SIGCONT)

    async def stop(self, seconds: float = 30.0) -> tuple[int, float]:
        """SIGTERM; return the exit status and how long it took. Kills it after `seconds`."""
        assert self._process is not None
        begun = time.monotonic()
        self._process.send_signal(signal.SIGTERM)
        try:
            status = await asyncio.to_thread(self._process.wait, seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            return -9, seconds
        return status, time.monotonic() - begun

    def limit_files(self, most: int | None) -> None:
        """Let no file grow beyond `most` bytes: every write after that fails (None: no limit).

        Nobody needs rights for it: only the soft limit changes. The error is EFBIG where a full
        disk says ENOSPC; it comes from the same calls, at any byte.
        """
        _, hard = resource.prlimit(self.pid, resource.RLIMIT_FSIZE)
        soft = hard if most is None else most
        resource.prlimit(self.pid, resource.RLIMIT_FSIZE, (soft, hard))

    def body(self) -> Body:
        """Measure the process."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        rss = next(int(line.split()[1]) for line in status.splitlines() if "VmRSS" in line)
        return Body(rss / 1024, len(list(Path(f"/proc/{self.pid}/fd").iterdir())))

    def log(self) -> str:
        """All that it has written, earlier lives included."""
        return self.log_path.read_text(encoding="utf-8", errors="replace")


@dataclass(frozen=True)
class Relative:
    """A process as /proc tells it."""

    pid: int
    state: str
    session: int


def family(session: int) -> list[Relative]:
    """Return the processes of a session, dead ones that nobody waited for ("Z") included."""
    found: list[Relative] = []
    for place in Path("/proc").iterdir():
        if not place.name.isdigit():
            continue
        try:
            fields = (place / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        found.append(Relative(int(place.name), fields[0], int(fields[3])))
    return [one for one in found if one.session == session]
