"""`python -m sidecar`: the program; without a command it serves.

The installed program `promptreel` is `cli.program`, which asks for a command.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from .cli.program import COMMANDS, run_command
from .cli.program import main as program
from .cli.speech import plain_streams


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command, or serve with the options given; return the exit status."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if given and (given[0] in COMMANDS or not given[0].startswith("-") or given == ["--version"]):
        return program(given)
    plain_streams()
    return run_command("serve", given)


if __name__ == "__main__":
    sys.exit(main())
