"""How far something is: a bar on a terminal, a plain line now and then elsewhere, or nothing.

Speaks on stderr, so that what a command answers stays alone on stdout. Must not know what is done.
"""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Callable
from typing import TextIO

_CELLS = 24
_OFTEN_S = 0.1
_SELDOM_S = 15.0
_CLEAR = "\r\x1b[K"


class Bar:
    """Shows progress in `stream`; use it as a context, so that the line is ended."""

    def __init__(
        self,
        stream: TextIO | None = None,
        *,
        quiet: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._stream = stream or sys.stderr
        self._quiet = quiet
        self._clock = clock
        self._live = self._stream.isatty()
        self._shown_at = clock() if not self._live else float("-inf")
        self._open = False

    def __enter__(self) -> Bar:
        return self

    def __exit__(self, *_: object) -> None:
        self._wipe()

    def note(self, text: str) -> None:
        """Show a line that stays."""
        self._wipe()
        if not self._quiet:
            print(text, file=self._stream, flush=True)

    def show(self, value: float, text: str) -> None:
        """Show how much is done, in 0..1."""
        pause = _OFTEN_S if self._live else _SELDOM_S
        now = self._clock()
        if self._quiet or now - self._shown_at < pause:
            return
        self._shown_at = now
        percent = f"{100 * min(max(value, 0.0), 1.0):3.0f}%"
        if not self._live:
            print(f"{percent}  {text}".rstrip(), file=self._stream, flush=True)
            return
        done = round(_CELLS * min(max(value, 0.0), 1.0))
        line = f"[{'#' * done}{'.' * (_CELLS - done)}] {percent}  {text}"
        width = shutil.get_terminal_size().columns - 1
        print(_CLEAR + line[:width], end="", file=self._stream, flush=True)
        self._open = True

    def _wipe(self) -> None:
        if self._open:
            print(_CLEAR, end="", file=self._stream, flush=True)
            self._open = False
