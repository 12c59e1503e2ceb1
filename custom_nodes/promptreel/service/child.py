"""The one service that this ComfyUI has started: how it is, told truly after a crash, too.

It holds a pipe to us and ends when that is closed: by `stop`, or with our process (`keeper`). What
it prints goes into a file, so that it is never held up, and its last words outlive it.
"""

from __future__ import annotations

import contextlib
import re
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

State = Literal["stopped", "starting", "running", "failed"]
START_S, STOP_S = 30.0, 20.0

_LISTENS = re.compile(r"^PromptReel listens on (http://\S+) ", re.MULTILINE)
_LOOK_S = 0.05
_TAIL = 8192  # bytes of its log that are looked at
_LONGEST = 300  # characters of its last line


@dataclass(frozen=True)
class Condition:
    """How it is; `address` where it listens, `said` its last line."""

    state: State = "stopped"
    address: str = ""
    said: str = ""


class Child:
    """At most one process at a time; all of it blocks, and may be called from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._log: Path | None = None
        self._address = ""
        self._asked_to_stop = False

    def condition(self) -> Condition:
        """Return how it is now."""
        process = self._process
        if process is None:
            return Condition()
        said = _last_line(self._tail())
        if process.poll() is not None:
            ended_well = self._asked_to_stop or process.returncode == 0
            return Condition("stopped" if ended_well else "failed", said=said)
        address = self._listening()
        return Condition("running" if address else "starting", address, said)

    def start(self, command: Sequence[str], environment: Mapping[str, str], log: Path) -> Condition:
        """Start it unless it runs, and wait until it listens or has failed. Raises OSError."""
        with self._lock:
            if self.condition().state in ("stopped", "failed"):
                self._spawn(command, environment, log)
            end = time.monotonic() + START_S
            while self.condition().state == "starting" and time.monotonic() < end:
                time.sleep(_LOOK_S)
            return self.condition()

    def stop(self) -> Condition:
        """Let it finish what it answers, and end."""
        with self._lock:
            process = self._process
            if process is not None and process.poll() is None:
                self._asked_to_stop = True
                _end(process)
            _close(process)
            return self.condition()

    def _spawn(self, command: Sequence[str], environment: Mapping[str, str], log: Path) -> None:
        log.parent.mkdir(parents=True, exist_ok=True)
        _close(self._process)
        self._log, self._address, self._asked_to_stop = log, "", False
        with log.open("wb") as out:
            self._process = subprocess.Popen(  # noqa: S603  what `program` found
                list(command),
                stdin=subprocess.PIPE,
                stdout=out,
                stderr=subprocess.STDOUT,
                env=dict(environment),
                cwd=log.parent,
                creationflags=_flags(),
                start_new_session=True,  # a Ctrl-C at ComfyUI's terminal is not for it
            )

    def _listening(self) -> str:
        if not self._address and self._log is not None:
            with contextlib.suppress(OSError):
                found = _LISTENS.search(_decoded(self._log.read_bytes()[:_TAIL]))
                self._address = found[1] if found else ""
        return self._address

    def _tail(self) -> str:
        if self._log is None:
            return ""
        try:
            with self._log.open("rb") as file:
                file.seek(0, 2)
                file.seek(max(file.tell() - _TAIL, 0))
                return _decoded(file.read())
        except OSError:
            return ""


def _flags() -> int:
    """Return what keeps a Ctrl-C at ComfyUI's console from it on Windows."""
    if sys.platform == "win32":
        return subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW
    return 0


def _end(process: subprocess.Popen[bytes]) -> None:
    _close(process)
    try:
        process.wait(STOP_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _close(process: subprocess.Popen[bytes] | None) -> None:
    if process is not None and process.stdin is not None:
        with contextlib.suppress(OSError):
            process.stdin.close()


def _decoded(data: bytes) -> str:
    return data.decode("utf-8", "replace")


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return "".join(c for c in lines[-1] if c.isprintable())[:_LONGEST] if lines else ""
