"""How the commands speak, fail, and run other programs.

    Trouble     what went wrong, as one sentence that says what to do

Must not know what any command does.
"""

from __future__ import annotations

import contextlib
import io
import signal
import subprocess
import sys
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn, TextIO

PATIENCE_S = 10.0  # for a program to end when asked
OFFLINE = ("NewConnectionError", "NameResolutionError", "Connection refused")  # pip's words


class Trouble(Exception):
    """One sentence for the person at the keyboard; the command ends with it."""


@dataclass(frozen=True)
class Told:
    """How a program ended: its exit status and everything that it printed."""

    status: int
    lines: tuple[str, ...]

    @property
    def reason(self) -> str:
        """Why it failed, as far as one can tell from what it printed."""
        spoken = [line.strip() for line in self.lines if line.strip()]
        if any(word in line for word in OFFLINE for line in spoken):
            return "the package index can't be reached; is this machine online?"
        errors = [line for line in spoken if line.startswith("ERROR:")]
        return [*errors[-1:], *reversed(spoken), "it gave no reason."][0]


def plain_streams() -> None:
    """Never fail over a character that the terminal can't show; show lines at once."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace", line_buffering=True)


def say(text: str) -> None:
    """Tell the person something."""
    print(text, flush=True)


def complain(text: str) -> None:
    """Tell the person what went wrong."""
    print(text, file=sys.stderr, flush=True)


def end_like_ctrl_c() -> None:
    """Let SIGTERM unwind as Ctrl-C does, so that what was begun is undone."""

    def interrupt(_number: int, _frame: FrameType | None) -> NoReturn:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, interrupt)


def show(
    command: Sequence[str | Path], folder: Path, environment: Mapping[str, str] | None = None
) -> int:
    """Run a program that speaks for itself; return its exit status."""
    process = subprocess.Popen(list(map(str, command)), cwd=folder, env=environment)
    with _ended(process):
        return process.wait()


def capture(
    command: Sequence[str | Path],
    show: Callable[[str], bool] | None = None,
    log: Path | None = None,
) -> Told:
    """Run a program to its end and keep what it prints.

    Lines for which `show` is true are told while they come; all of them go into `log`. Raises
    Trouble if the program can't be started.
    """
    if log:
        with log.open("w", encoding="utf-8") as file:
            return _captured(command, show, file)
    return _captured(command, show, None)


def _captured(
    command: Sequence[str | Path], show: Callable[[str], bool] | None, log: TextIO | None
) -> Told:
    try:
        process = subprocess.Popen(
            list(map(str, command)),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
        )
    except OSError as error:
        raise Trouble(f"{command[0]} can't be started: {error.strerror or error}.") from error
    with process, _ended(process):
        lines = _follow(process.stdout or (), show, log)
    return Told(process.returncode, lines)


@contextlib.contextmanager
def _ended(process: subprocess.Popen[Any]) -> Generator[None]:
    """End the program if we are interrupted while it runs."""
    try:
        yield
    except BaseException:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(PATIENCE_S)
        process.kill()  # does nothing once it has ended
        raise


def _follow(
    output: Iterable[str], show: Callable[[str], bool] | None, log: TextIO | None
) -> tuple[str, ...]:
    lines: list[str] = []
    for line in output:
        lines.append(line.rstrip())
        if log:
            log.write(line)
        if show and show(line):
            say(f"  {line.rstrip()}")
    return tuple(lines)
