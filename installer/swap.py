"""A new version of the pack takes the place of the one before, or everything is as it was.

The new one is made beside it under a name that ComfyUI passes over; then two renames.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from .console import say
from .files import link_of, put, remove
from .record import RECORD, Record, record_of, write_record
from .steps import Step

NAME = "promptreel"
NEW = ".promptreel-new.disabled"
OLD = ".promptreel-old.disabled"


def recover(custom_nodes: Path) -> None:
    """Bring back the version that a run took away which was cut off between the renames."""
    old, place = custom_nodes / OLD, custom_nodes / NAME
    if os.path.lexists(old) and not os.path.lexists(place):
        old.rename(place)


@dataclass(frozen=True)
class Swap:
    """One replacement. `before` is the record of what is there now; None if nothing is."""

    pack: Path
    custom_nodes: Path
    before: Record | None
    linked: bool

    @property
    def place(self) -> Path:
        """Where ComfyUI finds the pack."""
        return self.custom_nodes / NAME

    def steps(self) -> list[Step]:
        """Return the steps; each can be taken back."""
        what = f"Link {self.place} -> {self.pack}" if self.linked else f"Copy {self.pack}"
        steps = [
            Step(what, self._prepare, lambda: remove(self._new)),
            Step(f"Put it in its place: {self.place}", self._exchange, self._back),
            Step(f"Note it in {self.custom_nodes / RECORD}", self._note, self._unnote),
        ]
        if self.before:
            steps.append(Step("Remove the version before it", self._clean_up))
        return steps

    @property
    def _new(self) -> Path:
        return self.custom_nodes / NEW

    @property
    def _old(self) -> Path:
        return self.custom_nodes / OLD

    def _prepare(self) -> None:
        remove(self._old)
        remove(self._new)
        put(self.pack, self._new, linked=self.linked)
        for path in self.before.others_files(self.place) if self.before else ():
            self._take_along(path)

    def _take_along(self, path: Path) -> None:
        """Keep somebody's own file; one of ours that was changed is kept under another name."""
        target = self._new / path.relative_to(self.place)
        if os.path.lexists(target):
            target = target.with_name(f"{target.name}.changed")
            say(f"{path.name} had been changed: that version is kept as {target.name}.")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path, target, follow_symlinks=False)

    def _exchange(self) -> None:
        if os.path.lexists(self.place):
            self.place.rename(self._old)
        self._new.rename(self.place)

    def _back(self) -> None:
        if os.path.lexists(self._old):
            remove(self.place)
            self._old.rename(self.place)
        elif not os.path.lexists(self._new):
            remove(self.place)

    def _note(self) -> None:
        if self.linked and link_of(self.place) is None:
            say("It is a copy: run this again after each update.")
        write_record(self.custom_nodes, record_of(self.place, self.pack))

    def _unnote(self) -> None:
        write_record(self.custom_nodes, self.before)

    def _clean_up(self) -> None:
        with contextlib.suppress(OSError):  # in use, on Windows: the next run removes it
            remove(self._old)
