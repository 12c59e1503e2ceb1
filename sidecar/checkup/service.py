"""The sidecar itself: does it run, where are its files, is there room, who may use it. Blocks."""

from __future__ import annotations

import json
import shutil
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import cast

from sidecar.access.book import BookError, KeyBook
from sidecar.disk import SPARE, look
from sidecar.settings import Settings

from .findings import Finding, bad, note, ok

_AREA, _SECONDS = "sidecar", 5.0
_LITTLE = 2 << 30  # bytes free below which it is worth a word


def service(settings: Settings) -> Iterator[Finding]:
    """Tell of the service that these settings describe."""
    yield from _running(settings)
    yield from _folder(settings.data_dir)
    yield from _exposure(settings)


def _running(settings: Settings) -> Iterator[Finding]:
    url = f"http://{_reached(settings.host)}:{settings.port}"
    health = _ask(f"{url}/api/health")
    if health is None:
        do = "Start it: promptreel serve (or python install.py run)."
        yield note(_AREA, f"No sidecar runs at {url}.", do)
        return
    if health.get("status") != "ok" or "version" not in health:
        do = "Stop that program, or choose another port: --port, PROMPTREEL_PORT."
        yield bad(_AREA, f"Something else than a sidecar answers at {url}.", do)
        return
    yield ok(_AREA, f"The sidecar {health['version']} runs at {url}.")
    ready = _ask(f"{url}/api/ready") or {}
    if ready.get("status") == "ready":
        yield ok(_AREA, f"It is ready ({ready.get('details')}).")
    else:
        why = f"{ready.get('error', 'It does not say why.')} {ready.get('details', '')}"
        yield bad(_AREA, f"It makes no video now: {why.strip()}", "Look into its log.")


def _reached(host: str) -> str:
    """Return how a host to listen on is reached from here."""
    name = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}.get(host, host)  # noqa: S104
    return f"[{name.strip('[]')}]" if ":" in name else name


def _ask(url: str) -> Mapping[str, object] | None:
    """Return an answer's JSON ({} if it is none), None where nobody answers; by no proxy."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=_SECONDS) as answer:
            return _object(answer.read())
    except urllib.error.HTTPError as error:
        with error:
            return _object(error.read())
    except (OSError, ValueError):
        return None


def _object(body: bytes) -> Mapping[str, object]:
    try:
        value: object = json.loads(body)
    except ValueError:
        return {}
    return cast("dict[str, object]", value) if isinstance(value, dict) else {}


def _folder(folder: Path) -> Iterator[Finding]:
    place = folder.absolute()
    above = next(path for path in (place, *place.parents) if path.exists())
    if not above.is_dir():
        yield bad("data", f"{above} is no folder.", "Choose another: --data-dir.")
        return
    wrong = look(above)
    if wrong is not None:
        do = "Free some space, correct its rights, or choose another: --data-dir."
        yield bad("data", f"{above} can't be written to: {wrong.details}", do)
        return
    free = shutil.disk_usage(above).free
    text = f"{place} is writable; {free / 1e9:.3g} GB are free."
    if free < max(_LITTLE, SPARE):
        yield note("data", text, "That is little: videos stay until they are too old or too many.")
    else:
        yield ok("data", text)


def _exposure(settings: Settings) -> Iterator[Finding]:
    try:
        rows = KeyBook(settings.data_dir).rows()
    except BookError as error:
        yield bad("keys", str(error), "Restore the file of keys, or delete it.")
        return
    valid = sum(row.revoked_at is None for row in rows) + bool(settings.api_key)
    if settings.loopback:
        asked = f"{valid} keys may use it" if rows or settings.api_key else "no key is asked for"
        yield ok("keys", f"Only this machine can connect; {asked}.")
    elif rows or settings.api_key:
        yield ok("keys", f"Other machines can connect to {settings.host}; {valid} keys may use it.")
    else:
        do = "Make a key: promptreel keys add NAME (SECURITY.md)."
        yield note("keys", f"Everybody who reaches {settings.host} can use it, without a key.", do)
