"""Where made files go: whole or not at all, and never over somebody's file unless told to.

Knows files only.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

from .orders import MakingError, Order, WrongOrder

_HIDDEN = ".promptreel-"


def check(order: Order) -> None:
    """Raise WrongOrder where a file may not be written, before anything is made."""
    if order.still == order.video:
        raise WrongOrder("The video and the still can't be the same file.")
    for path in filter(None, (order.video, order.still)):
        _free(path, force=order.force)
        if not path.parent.is_dir():
            raise WrongOrder(f"There is no folder {path.parent}: make it first.")


def _free(path: Path, *, force: bool) -> None:
    if path.is_dir():
        raise WrongOrder(f"{path} is a folder: name a file.")
    if path.exists() and not force:
        raise WrongOrder(f"{path} is there already: say --force to replace it.")


@contextmanager
def scratch(order: Order) -> Generator[Path, None, None]:
    """Give a folder beside the video for the time of the block; raises MakingError."""
    try:
        folder = tempfile.mkdtemp(prefix=_HIDDEN, dir=order.video.parent)
    except OSError as error:
        raise MakingError(f"{order.video.parent}: {error.strerror}.") from None
    try:
        yield Path(folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def put(made: Path, target: Path, *, force: bool) -> None:
    """Move a finished file to its place, in one step. Raises MakingError."""
    _free(target, force=force)  # once more: it took a while
    part = target.with_name(f"{_HIDDEN}{target.name}.part")
    try:
        shutil.move(made, part)  # to another disk this takes a while
        part.replace(target)
    except OSError as error:
        raise MakingError(f"{target}: {error.strerror}.") from None
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)
