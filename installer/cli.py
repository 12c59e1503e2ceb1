"""The command line of install.py. Turns every trouble into one sentence and an exit status."""

from __future__ import annotations

import argparse
import errno
from collections.abc import Callable, Sequence
from pathlib import Path

from . import checks, lowest, pack, serve
from .console import Trouble, complain, end_like_ctrl_c, plain_streams
from .doctor import doctor

ROOT = Path(__file__).resolve().parents[1]


def main(arguments: Sequence[str]) -> int:
    """Run one command; return the exit status."""
    plain_streams()
    end_like_ctrl_c()
    try:
        return _dispatch(list(arguments))
    except Trouble as trouble:
        complain(f"install.py: {trouble}")
    except OSError as error:
        complain(f"install.py: {_sentence(error)}")
    except KeyboardInterrupt:
        complain("Stopped.")
        return 130
    return 1


def parser() -> argparse.ArgumentParser:
    """Return the parser; each command has its own --help."""
    result = argparse.ArgumentParser(
        prog="install.py",
        description="PromptReel: a picture and a sentence become a video.",
        epilog="Run by ComfyUI's manager without a command, it installs what the nodes need.",
    )
    add = result.add_subparsers(dest="command", metavar="COMMAND").add_parser
    _command(
        add,
        "run",
        "start the service on http://127.0.0.1:8190 (no ComfyUI needed)",
        "python install.py run [-- SETTINGS]   e.g. -- --port 9000; -- --help lists them",
    )
    test = _command(
        add,
        "test",
        "run every check: lint, types, tests with a real ComfyUI and a real browser",
        "python install.py test [--lowest] [-- PYTEST]   e.g. -- tests/engine -k camera",
    )
    test.add_argument(
        "--lowest",
        action="store_true",
        help="instead, test with the oldest versions allowed, and look for known holes (pip-audit)",
    )
    install = _command(add, "install", "put the nodes into a ComfyUI on this machine")
    _comfyui(install)
    _python(install)
    install.add_argument("--copy", action="store_true", help="copy the nodes instead of linking")
    _yes(install)
    _dry_run(install)
    uninstall = _command(add, "uninstall", "take back what install has put there")
    _comfyui(uninstall)
    _yes(uninstall)
    _dry_run(uninstall)
    look = _command(add, "doctor", "tell what is there and what is missing")
    _comfyui(look)
    _python(look)
    return result


def _command(
    add: Callable[..., argparse.ArgumentParser],
    name: str,
    text: str,
    usage: str | None = None,
) -> argparse.ArgumentParser:
    sentence = f"{text[0].upper()}{text[1:]}."
    return add(name, help=text, description=sentence, usage=usage)


def _comfyui(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--comfyui",
        metavar="PATH",
        help="ComfyUI's folder, the portable's, the desktop app's, or an extra_model_paths.yaml; "
        "without it one is looked for on this machine",
    )


def _yes(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--yes", action="store_true", help="ask nothing: of several take the one that runs"
    )


def _python(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--python", metavar="EXE", help="the Python that runs it, where it is not found by itself"
    )


def _dry_run(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--dry-run", action="store_true", help="only tell what would be done")


def _dispatch(arguments: list[str]) -> int:
    own, rest = _split(arguments)
    program = parser()
    asked, unknown = program.parse_known_args(own)
    if unknown and asked.command in ("run", "test"):
        meant = " ".join([*unknown, *rest])
        raise Trouble(f"Say it after --: python install.py {asked.command} -- {meant}")
    if unknown:
        program.error(f"unrecognized arguments: {' '.join(unknown)}")
    if rest and asked.command not in ("run", "test"):
        raise Trouble("Only run and test take arguments after --.")
    if asked.command == "run":
        return serve.run(ROOT, rest)
    if asked.command == "test":
        return (lowest.test_lowest if asked.lowest else checks.test)(ROOT, rest)
    if asked.command == "install":
        wish = pack.Wish(asked.comfyui, asked.python, asked.copy, asked.yes, asked.dry_run)
        return pack.install(ROOT, wish)
    if asked.command == "uninstall":
        return pack.uninstall(ROOT, pack.Wish(asked.comfyui, yes=asked.yes, dry_run=asked.dry_run))
    if asked.command == "doctor":
        return doctor(ROOT, asked.comfyui, asked.python)
    return _no_command()


def _no_command() -> int:
    if not pack.for_manager(ROOT):
        parser().print_help()
    return 0


def _split(arguments: list[str]) -> tuple[list[str], list[str]]:
    """Return what is ours and what comes after `--`."""
    if "--" not in arguments:
        return arguments, []
    at = arguments.index("--")
    return arguments[:at], arguments[at + 1 :]


def _sentence(error: OSError) -> str:
    hint = " Is the disk full?" if error.errno == errno.ENOSPC else ""
    where = f": {error.filename}" if error.filename else ""
    return f"{error.strerror or error}{where}.{hint}"
