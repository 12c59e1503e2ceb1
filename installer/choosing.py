"""Which of the ComfyUIs on this machine is meant: the one given, the only one, or one asked for."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from .console import Trouble, say
from .places import NAMED, Found, Machine, look_around
from .running import running

_NONE = (
    "No ComfyUI was found on this machine: name its folder with --comfyui PATH "
    f"(or the environment variable {NAMED}), the one that holds main.py."
)


def find_all(machine: Machine) -> list[Found]:
    """Return every ComfyUI that can be found, those that run first."""
    alive = running(machine.environ)
    folders = {found.folder.resolve() for found in alive}
    return [*alive, *(one for one in look_around(machine) if one.folder.resolve() not in folders)]


def choose(machine: Machine, *, yes: bool) -> Found:
    """Return the one that is meant; asks where there are several. Raises Trouble."""
    named = machine.environ.get(NAMED)
    found = find_all(machine)
    if not found:
        raise Trouble(_NONE)
    chosen = [one for one in found if one.how == NAMED] if named else found
    if named and not chosen:  # it may be the one that runs
        raise Trouble(f"{NAMED} is {named}, but there is no ComfyUI.")
    if len(chosen) == 1:
        say(f"Found ComfyUI: {_words(chosen[0])}")
        return chosen[0]
    say("Several ComfyUIs were found:")
    for number, one in enumerate(chosen, 1):
        say(f"  {number}  {_words(one)}")
    alive = [one for one in chosen if one.running]
    if yes and len(alive) == 1:
        say(f"Taking the one that runs: {alive[0].folder}")
        return alive[0]
    if yes or not sys.stdin.isatty():
        raise Trouble("Say which one with --comfyui PATH (--yes takes the one that runs).")
    return _asked(chosen)


def _asked(found: Sequence[Found]) -> Found:
    while True:
        try:
            told = input(f"Which one (1-{len(found)}; nothing: none)? ").strip()
        except EOFError:
            told = ""
        if not told:
            raise Trouble("None was chosen: nothing was done.")
        if told.isascii() and told.isdigit() and 1 <= int(told[:6]) <= len(found):
            return found[int(told[:6]) - 1]
        say(f"{told!r} is no number from 1 to {len(found)}.")


def _words(one: Found) -> str:
    return f"{one.folder} ({one.how})"
