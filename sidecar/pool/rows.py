"""Which ComfyUI servers the operator named: addresses with commas, a TOML file, or both.

Knows the settings and the file's form. Must not know whether a server is there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import tomli

from sidecar.comfy.client import normalize_url
from sidecar.comfy.shapes import an_object
from sidecar.settings import Settings, SettingsError

TABLE = "server"


@dataclass(frozen=True)
class ServerRow:
    """One server. `most`: jobs handed to it at once. `input_dir`: as PROMPTREEL_COMFYUI_INPUT_DIR.

    `named`: an operator wrote it down; else it is only looked for.
    """

    url: str
    name: str
    most: int
    input_dir: str = ""
    named: bool = True


def read_servers(settings: Settings) -> tuple[ServerRow, ...]:
    """Return the servers to share the work; blocks. Raises SettingsError.

    Where none is named, the one to look for on this machine, if any.
    """
    rows = {url: _plain(url, settings, named=True) for url in _urls(settings.comfyui_urls)}
    if settings.servers_file:
        listed = list(_file_rows(Path(settings.servers_file).expanduser(), settings))
        rows |= {row.url: row for row in listed}
        _check_unique(listed)
    if not rows and settings.local_comfyui_url:
        (url,) = _urls((settings.local_comfyui_url,))
        return (_plain(url, settings, named=False),)
    return tuple(rows.values())


def _urls(urls: tuple[str, ...]) -> list[str]:
    try:
        return [normalize_url(url) for url in urls]
    except ValueError as error:
        raise SettingsError(f"COMFYUI_SERVER_URL: {error}") from None


def _plain(url: str, settings: Settings, *, named: bool) -> ServerRow:
    name = url.partition("://")[2]
    return ServerRow(url, name, settings.comfyui_jobs, settings.comfyui_input_dir, named)


def _file_rows(path: Path, settings: Settings) -> Iterator[ServerRow]:
    try:
        with path.open("rb") as file:
            content = tomli.load(file)
    except OSError as error:
        raise SettingsError(f"PROMPTREEL_SERVERS_FILE can't be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise SettingsError("PROMPTREEL_SERVERS_FILE is not TOML: save it as UTF-8.") from None
    except RecursionError:
        raise SettingsError("PROMPTREEL_SERVERS_FILE is nested too deeply.") from None
    except tomli.TOMLDecodeError as error:
        raise SettingsError(f"PROMPTREEL_SERVERS_FILE is not TOML: {error}.") from None
    tables = content.get(TABLE)
    if set(content) - {TABLE} or not isinstance(tables, list) or not tables:
        raise SettingsError(f"PROMPTREEL_SERVERS_FILE must hold tables [[{TABLE}]] and no more.")
    for number, table in enumerate(cast("list[object]", tables), 1):
        yield _row(table, f"PROMPTREEL_SERVERS_FILE, server {number}", settings)


def _row(table: object, where: str, settings: Settings) -> ServerRow:
    given = an_object(table)
    strange = sorted(set(given) - set(_CHECKS))
    if strange:
        raise SettingsError(f"{where}: {', '.join(strange)} is not one of {', '.join(_CHECKS)}.")
    for name, value in given.items():
        kind, check = _CHECKS[name]
        if not check(value):
            raise SettingsError(f"{where}: {name} must be {kind}.")
    try:
        url = normalize_url(given.get("url", ""))
    except ValueError as error:
        raise SettingsError(f"{where}: {error}") from None
    plain = _plain(url, settings, named=True)
    return ServerRow(
        url,
        given.get("name") or plain.name,
        given.get("max_in_flight", plain.most),
        given.get("input_dir", plain.input_dir),
    )


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1


_CHECKS: Mapping[str, tuple[str, Callable[[object], bool]]] = {
    "url": ("a text", _is_text),
    "name": ("a text", _is_text),
    "max_in_flight": ("a whole number, at least 1", _is_count),
    "input_dir": ("a text", _is_text),
}


def _check_unique(rows: list[ServerRow]) -> None:
    for field in ("url", "name"):
        values = [getattr(row, field) for row in rows]
        twice = next((value for value in values if values.count(value) > 1), None)
        if twice is not None:
            raise SettingsError(f"PROMPTREEL_SERVERS_FILE has two servers of the {field} {twice}.")
