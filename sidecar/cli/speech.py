"""How the commands speak: exit statuses, one sentence for what went wrong, sizes and tables.

Must not know what any command does.
"""

from __future__ import annotations

import difflib
import io
import sys
from collections.abc import Collection, Sequence

DONE, FAILED, USAGE, INTERRUPTED = 0, 1, 2, 130

_UNITS = ((1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB"))


def plain_streams() -> None:
    """Never fail over a character that the terminal can't show."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def say(text: str) -> None:
    """Tell the person something."""
    print(text, flush=True)


def complain(sentence: str) -> None:
    """Tell the person what went wrong; the program's name goes before it."""
    print(f"promptreel: {sentence}", file=sys.stderr, flush=True)


def unknown(word: str, known: Collection[str], group: str = "") -> str:
    """Return what to say to a command that does not exist: the nearest one, and all."""
    near = difflib.get_close_matches(word, known, 1)
    meant = f" Did you mean {near[0]!r}?" if near else ""
    called = f"{group} {word}".strip()
    return f"there is no command {called!r}.{meant} Known are {', '.join(known)}."


def size(count: int | None) -> str:
    """Return a number of bytes as model pages tell it: "9.31 GB"; "?" where it is unknown."""
    if count is None:
        return "?"
    for unit, name in _UNITS:
        if count >= unit:
            return f"{count / unit:.3g} {name}"
    return f"{count} B"


def table(rows: Sequence[Sequence[str]]) -> str:
    """Return rows as columns of equal width, two spaces apart."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)
    return "\n".join(lines)
