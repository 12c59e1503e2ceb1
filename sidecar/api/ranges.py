"""Whether a range of a file is sent, all of it, or nothing: RFC 9110, sections 13 and 14.

Knows requests and a file's validators as FileResponse gives them. Must not know where files lie.
"""

from __future__ import annotations

import math
import os
import re

from aiohttp import ETag, web

from sidecar.errors import PreconditionFailed, RangeNotSatisfiable

_ONE_RANGE = re.compile(r"bytes=[ \t]*[0-9]*-[0-9]*[ \t]*", re.IGNORECASE)
_SEVERAL = re.compile(r"bytes=[0-9 \t,-]*,[0-9 \t,-]*", re.IGNORECASE)


def wants_all(request: web.Request, found: os.stat_result) -> bool:
    """Whether the Range header is to be ignored, if there is one.

    Raises PreconditionFailed, and RangeNotSatisfiable if the file has no such part.
    """
    tag, changed_at = f"{found.st_mtime_ns:x}-{found.st_size:x}", found.st_mtime
    _check_preconditions(request, tag, changed_at)
    asked = request.headers.get("Range", "")
    if request.method != "GET" or not asked or _has_it(request, tag, changed_at):
        return True
    of_bytes = asked.lower().startswith("bytes=")
    if not of_bytes or _SEVERAL.fullmatch(asked) or not _is_current(request, tag, changed_at):
        return True  # another unit must be ignored, several ranges may be (14.2)
    if not _satisfiable(request, asked, found.st_size):
        raise RangeNotSatisfiable(
            "The file has no such part: ask for a range like 'bytes=0-1023'.",
            details=f"It has {found.st_size} bytes.",
            headers={"Content-Range": f"bytes */{found.st_size}"},
        )
    return False


def _check_preconditions(request: web.Request, tag: str, changed_at: float) -> None:
    """Sections 13.1.1 and 13.1.4."""
    if request.if_match is not None:
        failed = not _named(tag, request.if_match, weak=False)
    else:
        since = request.if_unmodified_since
        failed = since is not None and changed_at > since.timestamp()
    if failed:
        raise PreconditionFailed(
            "The file is not the one that the If-Match or If-Unmodified-Since header names: "
            "ask for it without.",
            details="A file's name never gets other bytes.",
        )


def _has_it(request: web.Request, tag: str, changed_at: float) -> bool:
    """Whether the answer is 304: sections 13.1.2 and 13.1.3."""
    if request.if_none_match is not None:
        return _named(tag, request.if_none_match, weak=True)
    since = request.if_modified_since
    return since is not None and changed_at <= since.timestamp()


def _is_current(request: web.Request, tag: str, changed_at: float) -> bool:
    """Whether If-Range, if any, names the file as it is now (13.1.5): its strong ETag, its date."""
    named = request.headers.get("If-Range")
    if named is None:
        return True
    if request.if_range is not None:
        return request.if_range.timestamp() == math.ceil(changed_at)
    return named.strip() == f'"{tag}"'


def _satisfiable(request: web.Request, asked: str, size: int) -> bool:
    if _ONE_RANGE.fullmatch(asked) is None:
        return False
    try:
        start = request.http_range.start
    except ValueError:
        return False
    suffix_of_nothing = start == 0 and asked.partition("=")[2].lstrip().startswith("-")
    return start is not None and start < size and not suffix_of_nothing


def _named(tag: str, tags: tuple[ETag, ...], *, weak: bool) -> bool:
    return any(one.value in ("*", tag) and (weak or not one.is_weak) for one in tags)
