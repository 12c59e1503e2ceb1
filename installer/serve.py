"""`install.py run`: the sidecar, started from the checkout.

Knows ports and how a process is handed over. What is said at the start, the sidecar says itself.
"""

from __future__ import annotations

import argparse
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from .console import say
from .environment import ensure

PORT = 8190
NEAR = 10  # ports tried before the system chooses one
_EXTRAS = ("completion", "models")  # what its other commands need


def run(root: Path, arguments: Sequence[str]) -> int:
    """Install what is missing, then become the sidecar. Returns only where that isn't possible."""
    python = ensure(root, _EXTRAS)
    environment = {"PROMPTREEL_DATA_DIR": str(root / "data"), **os.environ}
    port = free_port(arguments, os.environ)
    command = [str(python), "-I", "-m", "sidecar", *port, *arguments]
    return _hand_over(command, environment)


def free_port(arguments: Sequence[str], environ: Mapping[str, str]) -> list[str]:
    """Return the arguments that move the sidecar to a free port, and tell; none if it may stay.

    A port that somebody asked for is never changed: the sidecar says if it is taken.
    """
    asked = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    asked.add_argument("--port", default=environ.get("PROMPTREEL_PORT"))
    asked.add_argument("--host", default=environ.get("PROMPTREEL_HOST") or "127.0.0.1")
    given, _ = asked.parse_known_args(list(arguments))
    if given.port or is_free(given.host, PORT):
        return []
    near = range(PORT + 1, PORT + NEAR)
    port = next((port for port in near if is_free(given.host, port)), 0)
    say(f"Port {PORT} is taken: using {port or 'another'} instead.")
    return ["--port", str(port)]


def is_free(host: str, port: int) -> bool:
    """Whether one could listen there. A host that can't be resolved is left to the sidecar."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host.strip("[]"), port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except OSError:
        return True
    with socket.socket(family, kind, protocol) as probe:
        if sys.platform == "win32":
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
        else:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(address)
        except OSError:
            return False
    return True


def _hand_over(command: list[str], environment: Mapping[str, str]) -> int:
    """Become the program: signals reach it directly. Windows can't; there it is waited for."""
    sys.stdout.flush()
    if os.name != "nt":
        os.execve(command[0], command, environment)  # noqa: S606  there must be no shell
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the console sends it to the program itself
    return subprocess.run(command, env=environment, check=False).returncode
