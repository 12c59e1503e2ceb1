"""A network that lies: names that change their address, and a watch on every connection made.

Knows sockets. Must not know the service: what it connects to is seen from below, by Python's own
audit events, so that not even a failed attempt goes unseen.
"""

from __future__ import annotations

import ipaddress
import socket
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

Answers = Sequence[str]
_watches: list[Watch] = []


@dataclass
class Watch:
    """Every address that a connection was tried to while this watch was on."""

    tried: list[tuple[str, int]] = field(default_factory=list)

    def beyond(self, *ports: int) -> list[tuple[str, int]]:
        """Return what was tried but for the tests' own servers' ports."""
        return [place for place in self.tried if place[1] not in ports]


def watch() -> Watch:
    """Start to watch; an audit hook can't be taken out, so there is one for all."""
    if not _hooked:
        sys.addaudithook(_seen)
        _hooked.append(True)
    _watches.append(started := Watch())
    return started


def unwatch(started: Watch) -> None:
    """Stop to watch."""
    _watches.remove(started)


_hooked: list[bool] = []


def _seen(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "socket.connect" and _watches:
        address = arguments[1]
        if isinstance(address, tuple) and len(address) >= 2:
            for one in _watches:
                one.tried.append((str(address[0]), int(address[1])))


class LyingNames:
    """`getaddrinfo` of a system whose name servers belong to somebody else.

    A name's answers are used up one by one, and the last one stays.
    """

    def __init__(self) -> None:
        self._answers: dict[str, list[Answers]] = {}
        self._true = socket.getaddrinfo
        self.asked: list[str] = []

    def says(self, name: str, *answers: Answers) -> None:
        """Let each lookup of `name` give the next of `answers`."""
        self._answers[name.lower()] = list(answers)

    def getaddrinfo(
        self, host: Any, port: Any, family: int = 0, kind: int = 0, proto: int = 0, flags: int = 0
    ) -> list[Any]:
        """Answer as told; numbers and localhost as the system would; else there is no such name."""
        name = host.decode() if isinstance(host, bytes) else str(host or "")
        self.asked.append(name)
        answers = self._answers.get(name.lower())
        if answers:
            given = answers.pop(0) if len(answers) > 1 else answers[0]
            return list(_rows(given, int(port or 0)))
        if not name.lower().rstrip(".").endswith("localhost"):
            flags |= socket.AI_NUMERICHOST
        return self._true(host, port, family, kind, proto, flags)


def _rows(addresses: Answers, port: int) -> Iterable[Any]:
    for text in addresses:
        address = ipaddress.ip_address(text.partition("%")[0])
        kind = (socket.SOCK_STREAM, socket.IPPROTO_TCP, "")
        if address.version == 6:
            yield (socket.AF_INET6, *kind, (text, port, 0, 0))
        else:
            yield (socket.AF_INET, *kind, (text, port))
