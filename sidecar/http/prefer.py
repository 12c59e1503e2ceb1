"""What a request's Prefer headers ask for (RFC 7240): not to wait, or for how long. Pure.

Unknown preferences and values that can't be read are ignored, as the RFC demands; of one that comes
twice the first counts. Must not know requests or jobs.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

LONGEST_WAIT = 600  # seconds that a client may ask to be kept waiting

_TOKEN = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"  # noqa: S105  RFC 7230's name for it
_QUOTED = r'"(?:[^"\\]|\\.)*"'
_PIECE = re.compile(rf"({_TOKEN})[ \t]*(?:=[ \t]*({_TOKEN}|{_QUOTED}))?[ \t]*")
_PARTS = re.compile(rf"(?:{_QUOTED}|[^\",])*(?:,|\Z)")


@dataclass(frozen=True)
class Preference:
    """Whether to answer at once, and how many seconds to wait for the result; None: not said."""

    respond_async: bool = False
    wait: int | None = None

    @property
    def seconds(self) -> float | None:
        """How long the answer may take; None: as long as the job."""
        if self.wait is not None:
            return float(self.wait)
        return 0.0 if self.respond_async else None

    @property
    def applied(self) -> str:
        """The value of Preference-Applied; blank if there is nothing to say."""
        said = ["respond-async"] if self.respond_async else []
        return ", ".join([*said, *([] if self.wait is None else [f"wait={self.wait}"])])


def parse_prefer(headers: Iterable[str]) -> Preference:
    """Return what all Prefer headers of a request ask for together."""
    asked: dict[str, str] = {}
    for name, value in _preferences(", ".join(headers)):
        asked.setdefault(name, value)
    return Preference("respond-async" in asked, _seconds(asked.get("wait", "")))


def _preferences(text: str) -> Iterator[tuple[str, str]]:
    for part in _PARTS.findall(text):
        match = _PIECE.match(part.strip(" \t,"))
        if match:
            yield match[1].lower(), _unquoted(match[2] or "")


def _unquoted(value: str) -> str:
    return re.sub(r"\\(.)", r"\1", value[1:-1]) if value.startswith('"') else value


def _seconds(text: str) -> int | None:
    if not re.fullmatch("[0-9]+", text):
        return None
    return LONGEST_WAIT if len(text) > 6 else min(int(text), LONGEST_WAIT)
