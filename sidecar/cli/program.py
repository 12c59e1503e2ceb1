"""`promptreel`: which command is meant, the help, and how everything ends.

Knows the commands' names; each command's module is imported when it is used, so that the help
answers at once. Must not know what a command does.
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, cast

from .speech import DONE, INTERRUPTED, USAGE, complain, plain_streams, unknown


class Runs(Protocol):
    """What a command's module has."""

    def parser(self) -> argparse.ArgumentParser:
        """Return the command's parser, which completion reads."""
        ...

    def run(self, arguments: Sequence[str]) -> int:
        """Run the command."""
        ...


@dataclass(frozen=True)
class Command:
    """One row of the help; `module` is its file in this folder."""

    help: str
    module: str


COMMANDS: Mapping[str, Command] = {
    "serve": Command("serve the REST API: a picture and a sentence in, a video out", "serve"),
    "render": Command("make one video of a picture and a sentence, into a file", "render"),
    "pipelines": Command("list the pipelines, or make one of a ComfyUI graph", "pipelines"),
    "keys": Command("make, list and revoke the API keys of a service", "keys"),
    "models": Command("list the model files that pipelines need, or download them", "models"),
    "doctor": Command("say what works, what does not and what to do", "doctor"),
    "completion": Command("print the line that lets a shell complete these commands", "completion"),
}

_ENDINGS = """
exit status:
  0    done
  1    failed: what and why is said in one sentence
  2    wrong usage: an unknown command or option, or a setting that can't be used
  130  interrupted (Ctrl-C)

`promptreel COMMAND --help` tells a command's options.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program `promptreel`; return its exit status."""
    plain_streams()
    if "_ARGCOMPLETE" in os.environ and arguments is None:
        return _complete()
    given = list(sys.argv[1:] if arguments is None else arguments)
    if not given:
        parser().print_help(sys.stderr)
        return USAGE
    if given[0].startswith("-"):
        return _only_options(given)
    if given[0] == "help":
        return main([*given[1:], "--help"])
    if given[0] not in COMMANDS:
        complain(unknown(given[0], COMMANDS))
        return USAGE
    return run_command(given[0], given[1:])


def run_command(name: str, arguments: Sequence[str]) -> int:
    """Run one command; return its exit status, also where argparse or Ctrl-C ended it."""
    module = module_of(name)
    try:
        status = module.run(arguments)
        sys.stdout.flush()
    except BrokenPipeError:  # whoever read it has seen enough ("| head")
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DONE
    except SystemExit as end:  # argparse: after a help, or a wrong option
        return end.code if isinstance(end.code, int) else USAGE
    except KeyboardInterrupt:
        complain("interrupted.")
        return INTERRUPTED
    return status


def module_of(name: str) -> Runs:
    """Import a command's module."""
    return cast("Runs", importlib.import_module(f"{__package__}.{COMMANDS[name].module}"))


def _complete() -> int:
    from .completion import answer  # noqa: PLC0415  a shell asks, nobody else

    return answer(parser(), {name: row.help for name, row in COMMANDS.items()}, module_of)


def parser() -> argparse.ArgumentParser:
    """Return the parser of the program's own options, whose help shows the commands."""
    rows = "\n".join(f"  {name:<11}{command.help}" for name, command in COMMANDS.items())
    result = argparse.ArgumentParser(
        prog="promptreel",
        usage="promptreel COMMAND ...",
        description="A picture and a sentence become a video.",
        epilog=f"commands:\n{rows}\n{_ENDINGS}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    result.add_argument("--version", action="store_true", help="show the version and exit")
    return result


def _only_options(given: Sequence[str]) -> int:
    try:
        options = parser().parse_args(given)
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else USAGE
    if options.version:
        print(f"promptreel {_version()}")
    return DONE


def _version() -> str:
    from importlib.metadata import PackageNotFoundError, version  # noqa: PLC0415  it is slow

    try:
        return version("promptreel")
    except PackageNotFoundError:
        return "0 (not installed)"
