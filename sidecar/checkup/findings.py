"""One fact about this installation, in plain words. Must not know how it was found out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

State = Literal["ok", "note", "bad"]


@dataclass(frozen=True)
class Finding:
    """A fact. "note": something can't be used, and need not be; "bad": mend it. `do`: how."""

    area: str
    state: State
    text: str
    do: str = ""


def ok(area: str, text: str) -> Finding:
    """Return what works."""
    return Finding(area, "ok", text)


def note(area: str, text: str, do: str = "") -> Finding:
    """Return what one may want to know, or can do without."""
    return Finding(area, "note", text, do)


def bad(area: str, text: str, do: str) -> Finding:
    """Return what does not work though it should."""
    return Finding(area, "bad", text, do)
