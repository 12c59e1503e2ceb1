"""`promptreel completion SHELL`, and the answer when that shell asks what could come next.

The library argcomplete knows the shells; this knows which command's parser is meant, so that only
that one is imported, and what names there are.
"""

# Both are typed in part.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Protocol, cast

from .speech import DONE, FAILED, complain, say

SHELLS = ("bash", "zsh", "fish", "powershell")
_MORE = """\
Put one line into the file that your shell reads at its start:

  bash        ~/.bashrc                     eval "$(promptreel completion bash)"
  zsh         ~/.zshrc (after compinit)     eval "$(promptreel completion zsh)"
  fish        ~/.config/fish/config.fish    promptreel completion fish | source
  powershell  $PROFILE                      promptreel completion powershell | Out-String | iex
"""
_LACKING = "Completion needs argcomplete: pip install 'promptreel[completion]'."
_PIPELINE = "pipeline"


class Parsed(Protocol):
    """A command's module."""

    def parser(self) -> argparse.ArgumentParser:
        """Return the command's parser."""
        ...


def parser() -> argparse.ArgumentParser:
    """Return the command's parser."""
    result = argparse.ArgumentParser(
        prog="promptreel completion",
        description="Print the script that lets a shell complete commands, options and names.",
        epilog=_MORE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    result.add_argument("shell", choices=SHELLS)
    return result


def run(arguments: Sequence[str]) -> int:
    """Print the script; return the exit status."""
    shell: str = parser().parse_args(list(arguments)).shell
    try:
        from argcomplete.shell_integration import shellcode  # noqa: PLC0415  an extra
    except ModuleNotFoundError:
        complain(_LACKING)
        return FAILED
    say(shellcode(["promptreel"], shell=shell).strip())
    return DONE


def answer(
    program: argparse.ArgumentParser,
    commands: Mapping[str, str],
    module_of: Callable[[str], Parsed],
) -> int:
    """Tell the shell that asks (COMP_LINE) what could come next; ends the process."""
    try:
        import argcomplete  # noqa: PLC0415  an extra
        from argcomplete.lexers import split_line  # noqa: PLC0415  as above
    except ModuleNotFoundError:
        return FAILED
    line, point = os.environ.get("COMP_LINE", ""), os.environ.get("COMP_POINT", "0")
    words: list[str] = split_line(line, int(point))[3]
    if len(words) > 1 and words[1] in commands:
        os.environ["_ARGCOMPLETE"] = "2"  # so many words are the program: its name, the command
        program = module_of(words[1]).parser()
        _name_pipelines(program)
    else:
        _add_commands(program, commands)
    argcomplete.autocomplete(program)
    return DONE


def _add_commands(program: argparse.ArgumentParser, commands: Mapping[str, str]) -> None:
    adding = program.add_subparsers(metavar="COMMAND")
    for name, text in commands.items():
        adding.add_parser(name, help=text)


def _name_pipelines(parser: argparse.ArgumentParser) -> None:
    """Complete pipelines' names wherever an argument takes one."""
    for action in _actions(parser):
        if action.dest == _PIPELINE:
            action.completer = _pipelines  # pyright: ignore[reportAttributeAccessIssue]  theirs


def _actions(parser: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    """Give all arguments, those of the commands inside too."""
    for action in parser._actions:  # noqa: SLF001  argparse has no other way
        yield action
        if action.nargs == argparse.PARSER:  # the commands inside
            for inner in cast("dict[str, argparse.ArgumentParser]", action.choices).values():
                yield from _actions(inner)


def _pipelines(**_: object) -> list[str]:
    from sidecar.manifest import PipelineError  # noqa: PLC0415  only where a name is asked for

    from .group import read_pipelines  # noqa: PLC0415  as above

    try:
        return list(read_pipelines(argparse.Namespace(pipelines_dir=None)))
    except PipelineError:
        return []
