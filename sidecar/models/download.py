"""One file: the rest of it fetched into a part file, checked, and moved into place.

A part file lies beside its target under a name that ComfyUI never lists, so the move is atomic and
a model is whole or not there. Must not know which library fetches.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, Protocol

from .errors import Damaged, ModelsError
from .hub import Remote
from .needs import part_of, parts_of

_BLOCK = 1 << 22


class Fetches(Protocol):
    """What gives bytes: `Hub`."""

    def fetch(self, remote: Remote, part: BinaryIO, begun: int) -> None:
        """Append the rest of a file of which `begun` bytes are in `part`."""
        ...


def download(
    hub: Fetches, remote: Remote, target: Path, tell: Callable[[str], None], sha256: str = ""
) -> None:
    """Bring a file to `target`; a part that is there already is gone on with.

    `sha256`: the checksum where the Hub tells none. Raises ModelsError; then, and where it is
    interrupted, the part file is kept.
    """
    wanted = remote.sha256 or sha256
    part = part_of(target, wanted or f"size{remote.size}")
    with _failures(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        with _alone(part, target.name):
            _fetch(hub, remote, part)
            tell("  checking ...")
            _check(part, target.name, wanted)
            if target.exists():
                raise ModelsError(f"{target} has appeared meanwhile: it is left as it is.")
            part.replace(target)
        for older in parts_of(target):
            older.unlink(missing_ok=True)


def begun_bytes(remote: Remote, target: Path, sha256: str = "") -> int:
    """Return how many bytes of this version of the file are there already."""
    part = part_of(target, remote.sha256 or sha256 or f"size{remote.size}")
    return part.stat().st_size if part.is_file() else 0


def _fetch(hub: Fetches, remote: Remote, part: Path) -> None:
    with part.open("ab") as file:
        begun = os.fstat(file.fileno()).st_size
        if begun > remote.size:  # not of this file
            file.truncate(0)
            begun = 0
        hub.fetch(remote, file, begun)
        file.flush()
        os.fsync(file.fileno())


def _check(part: Path, name: str, wanted: str) -> None:
    """Compare the checksum; what is damaged can't be gone on with and is removed."""
    if not wanted:
        return
    digest = hashlib.sha256()
    with part.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    if digest.hexdigest() != wanted:
        part.unlink()
        raise Damaged(
            f"{name} arrived damaged (its SHA-256 is another one) and was removed: pull again."
        )


@contextmanager
def _failures(target: Path) -> Generator[None]:
    """Turn what the disk refuses into one sentence."""
    try:
        yield
    except OSError as error:
        place = error.filename or target
        raise ModelsError(f"{place} can't be written: {error.strerror or error}.") from None


@contextmanager
def _alone(part: Path, name: str) -> Generator[None]:
    """Hold the part file for this process alone."""
    from filelock import FileLock, Timeout  # noqa: PLC0415  comes with huggingface_hub

    lock = Path(f"{part}.lock")
    try:
        with FileLock(lock, timeout=0):
            try:
                yield
            finally:
                with suppress(OSError):  # Windows removes no open file; FileLock does so itself
                    lock.unlink()
    except Timeout:
        raise ModelsError(f"Another process downloads {name}: wait until it is done.") from None
