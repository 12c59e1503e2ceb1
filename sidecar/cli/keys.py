"""`promptreel keys`: who may use the service: API keys made, shown and revoked.

Knows how it is shown. Must not know how keys are kept: `sidecar.access.book` does.
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import datetime, timezone
from pathlib import Path

from sidecar.access.book import BookError, KeyBook, Row
from sidecar.access.callers import Allowance

from .group import Group
from .speech import DONE, FAILED, complain, say, table

DATA_DIR = "PROMPTREEL_DATA_DIR"
_MOST = 10**9
_ADDED = """\
{key}

This is the key of {name!r}, shown this once: clients send it as 'Authorization: Bearer KEY'.
A service that runs takes it within a second."""
_NONE = (
    "There are no keys: `promptreel keys add NAME` makes one, and from then on one is asked for."
)
_LAST = (
    "No key is left, and the service lets nobody in: add one, or delete {path} and start it anew."
)


def run(arguments: Sequence[str]) -> int:
    """Run `keys ...`; return the exit status."""
    return _group().run(arguments)


def parser() -> argparse.ArgumentParser:
    """Return the command's parser."""
    return _group().parser


def _group() -> Group:
    group = Group("keys", "Make, show and revoke the API keys of a service.")
    adding = _command(group, "add", "make a key", _add)
    adding.add_argument("name", metavar="NAME", help="whose key it is; jobs belong to the name")
    _count(adding, "--max-queued", "jobs that may wait at once")
    _count(adding, "--max-storage-mb", "megabytes of pictures and videos kept")
    _count(adding, "--requests-per-minute", "requests in a minute")
    listing = _command(group, "list", "list the keys; they themselves are not kept", _list)
    listing.add_argument("--json", action="store_true", help="print JSON, revoked keys included")
    _command(group, "revoke", "make a key worthless at once", _revoke).add_argument(
        "name", metavar="NAME", help="whose key it is"
    )
    return group


def _command(
    group: Group, name: str, text: str, act: Callable[[argparse.Namespace, KeyBook], None]
) -> argparse.ArgumentParser:
    sentence = f"{text[0].upper()}{text[1:]}."
    parser = group.subparsers.add_parser(name, help=text, description=sentence)
    parser.add_argument(
        "--data-dir",
        metavar="PATH",
        default=None,
        help=f"the service's data folder (environment: {DATA_DIR}; default: data)",
    )
    parser.set_defaults(run=_said, act=act)
    return parser


def _count(parser: argparse.ArgumentParser, flag: str, what: str) -> None:
    parser.add_argument(
        flag, metavar="N", type=_whole, default=0, help=f"{what} (default: no limit)"
    )


def _whole(text: str) -> int:
    """Return a limit. Raises ArgumentTypeError."""
    if text.isascii() and text.isdigit() and 1 <= int(text[:12]) <= _MOST and len(text) < 12:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text!r} is no whole number from 1 to {_MOST}")


def _said(options: argparse.Namespace) -> int:
    try:
        options.act(options, KeyBook(_folder(options)))
    except BookError as error:
        complain(str(error))
        return FAILED
    return DONE


def _folder(options: argparse.Namespace) -> Path:
    named: str = options.data_dir or os.environ.get(DATA_DIR, "").strip() or "data"
    return Path(named).expanduser()


def _add(options: argparse.Namespace, book: KeyBook) -> None:
    limits = Allowance(options.max_queued, options.max_storage_mb, options.requests_per_minute)
    say(_ADDED.format(key=book.add(options.name, limits), name=options.name))


def _list(options: argparse.Namespace, book: KeyBook) -> None:
    rows = book.rows()
    if options.json:
        say(json.dumps([_shown(row) for row in rows], indent=2))
        return
    cells = [_cells(row) for row in rows if row.revoked_at is None]
    if not cells:
        say(_LAST.format(path=book.path) if rows else _NONE)
        return
    head = ("NAME", "KEY", "SINCE", "QUEUED", "STORAGE", "A MINUTE")
    say(table([head, *cells]))


def _revoke(options: argparse.Namespace, book: KeyBook) -> None:
    book.revoke(options.name)
    say(f"The key of {options.name!r} is worthless within a second; its jobs and files stay.")
    if all(row.revoked_at is not None for row in book.rows()):
        say(_LAST.format(path=book.path))


def _cells(row: Row) -> tuple[str, ...]:
    most = row.allowance
    storage = f"{most.max_storage_mb} MB" if most.max_storage_mb else "any"
    queued, often = (str(n or "any") for n in (most.max_queued, most.requests_per_minute))
    return (row.name, f"{row.hint}...", _date(row.created_at), queued, storage, often)


def _shown(row: Row) -> dict[str, object]:
    return {
        "name": row.name,
        "begins": row.hint,
        "created": _date(row.created_at),
        "revoked": None if row.revoked_at is None else _date(row.revoked_at),
        **asdict(row.allowance),
    }


def _date(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%d %H:%M:%SZ")
