"""What goes wrong when the data folder's disk is full or broken, and one sentence for each.

SQLite and the file system say it in their own ways; nothing else of the service needs to know how.
Must not know HTTP routes, jobs or what is stored.
"""

from __future__ import annotations

import errno
import logging
import os
import shutil
import sqlite3
from pathlib import Path

from .values import JobError

DISK_FULL = JobError(
    "disk_full",
    "The service's disk is full: its operator must free some space, then send it again.",
    "The data folder has no room left, or its quota is used up.",
)
STORAGE_FAILED = JobError(
    "storage_failed",
    "The service can't write to its data folder: its operator must look at that disk.",
    "The disk gave an error, is read-only, or another program holds the file of jobs.",
)
SPARE = 16 << 20  # bytes: with less, a video may not fit any more
_PROBE = 64 * 1024  # bytes that are written to see whether they can be

_FULL_ERRNOS = {errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC)}
_BROKEN_ERRNOS = {errno.EIO, errno.EROFS}
_FULL_WORDS = "is full"
_BROKEN_WORDS = (
    "disk I/O error",
    "unable to open database",
    "readonly database",
    "database is locked",
    "malformed",
)


def trouble(error: BaseException | None) -> JobError | None:
    """Return what to say of an error that is the disk's fault; None for every other one."""
    while error is not None:
        found = _trouble(error)
        if found is not None:
            return found
        error = error.__cause__
    return None


def _trouble(error: BaseException) -> JobError | None:
    if isinstance(error, sqlite3.DatabaseError):
        text = str(error)
        if _FULL_WORDS in text:
            return DISK_FULL
        return STORAGE_FAILED if any(words in text for words in _BROKEN_WORDS) else None
    number = getattr(error, "errno", None)  # of an OSError, and of an encoder's own errors
    if number in _FULL_ERRNOS:
        return DISK_FULL
    return STORAGE_FAILED if number in _BROKEN_ERRNOS else None


def report(log: logging.Logger, error: Exception, message: str, *values: object) -> None:
    """Log what an edge has caught: a disk's fault in one line, all else with its traceback."""
    found = trouble(error)
    if found is not None:
        log.error(f"{message}: %s (%s)", *values, found.error, error)
    else:
        log.error(message, *values, exc_info=error)


def look(folder: Path) -> JobError | None:
    """Return what keeps the folder from taking another video, if anything; blocks.

    By writing a little: a quota is not told by what the disk says is free.
    """
    path = folder / f"probe-{os.getpid()}"
    try:
        if shutil.disk_usage(folder).free < SPARE:
            return DISK_FULL
        with path.open("wb") as file:
            file.write(bytes(_PROBE))
            file.flush()
    except OSError as error:
        return trouble(error) or STORAGE_FAILED
    finally:
        _unlink(path)
    return None


def _unlink(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError:
        return
