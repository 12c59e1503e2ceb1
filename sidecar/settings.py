"""The settings' values, read from the environment and the command line (the flag wins).

Knows the types of the rows in `settings_table.py`. Must not know what they are used for. Nothing is
read at import.
"""

from __future__ import annotations

import argparse
import difflib
import ipaddress
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from .settings_table import SETTINGS, Kind, Mode, Setting
from .webhooks.secret import is_secret

PREFIX = "PROMPTREEL_"
TESTS = "PROMPTREEL_TEST_"  # what the tests of this project read


class SettingsError(Exception):
    """A setting has a value that can't be used; the message says which and why."""


class _WrongValueError(ValueError):
    """A text is no value of its kind; the message goes on after the setting's name."""


@dataclass(frozen=True)
class Settings:
    """The values of all rows of SETTINGS."""

    host: str = "127.0.0.1"
    port: int = 8190
    data_dir: Path = Path("data")
    mode: Mode = "auto"
    comfyui_url: str = ""
    servers_file: str = ""
    local_comfyui_url: str = "http://127.0.0.1:8188"
    comfyui_input_dir: str = ""
    pipelines_dir: str = ""
    published: str = "on"
    public_url: str = ""
    api_key: str = ""
    insecure: bool = False
    allowed_hosts: tuple[str, ...] = ()
    cors_origins: tuple[str, ...] = ()
    allowed_servers: tuple[str, ...] = ()
    allowed_image_hosts: tuple[str, ...] = ()
    webhook_secrets: tuple[str, ...] = ()
    allowed_webhook_hosts: tuple[str, ...] = ()
    max_upload_mb: float = 50.0
    fetch_seconds: float = 20.0
    demo_jobs: int = 2
    comfyui_jobs: int = 2
    comfyui_seconds: float = 1800.0
    comfyui_away_seconds: float = 120.0
    start_seconds: float = 86400.0
    total_seconds: float = 21600.0
    max_queued: int = 100
    max_uploads: int = 32
    max_event_clients: int = 1000
    max_connections: int = 2000
    stall_seconds: float = 30.0
    body_seconds: float = 600.0
    shutdown_seconds: float = 10.0
    keep_days: float = 0.0
    keep_gb: float = 0.0
    keep_jobs_days: float = 0.0
    log_level: str = "info"
    log_format: str = "text"

    @property
    def max_upload_bytes(self) -> int:
        """The largest picture accepted, in bytes."""
        return int(self.max_upload_mb * 1024 * 1024)

    @property
    def comfyui_urls(self) -> tuple[str, ...]:
        """The addresses that COMFYUI_SERVER_URL names."""
        return tuple(url.strip() for url in self.comfyui_url.split(",") if url.strip())

    @property
    def loopback(self) -> bool:
        """Whether only this machine can connect."""
        return is_loopback(self.host)


def is_loopback(host: str) -> bool:
    """Whether a host name or literal address always means this machine."""
    name = host.strip("[]").lower().rstrip(".")
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def load_settings(arguments: Sequence[str], environ: Mapping[str, str]) -> Settings:
    """Read all settings; raises SettingsError, and SystemExit for --help or an unknown flag."""
    given = vars(parser().parse_args(arguments))
    values: dict[str, Any] = {row.name: _read(row, given, environ) for row in SETTINGS}
    settings = Settings(**values)
    check_bind(settings)
    return settings


def check_bind(settings: Settings) -> None:
    """Refuse to listen beyond this machine without a key; raises SettingsError."""
    if settings.loopback or settings.api_key or settings.insecure or _has_keys(settings.data_dir):
        return
    raise SettingsError(
        f"Listening on {settings.host} lets other machines in: make a key first (promptreel keys "
        "add NAME) or set PROMPTREEL_API_KEY, or say --insecure."
    )


def _has_keys(folder: Path) -> bool:
    """Whether the service will ask for a key: one was made, even if it was revoked since."""
    from .access.book import BookError, KeyBook  # noqa: PLC0415  few starts need it

    try:
        return bool(KeyBook(folder).rows())
    except BookError as error:
        raise SettingsError(str(error)) from None


def parser() -> argparse.ArgumentParser:
    """Return the command line's parser: one option a row."""
    result = argparse.ArgumentParser(
        prog="promptreel serve",
        description="Serve the REST API: a picture and a sentence in, a video out.",
    )
    for row in SETTINGS:
        if row.flag is None:
            continue
        options: dict[str, Any] = {"dest": row.name, "help": _help(row).replace("%", "%%")}
        if row.kind == "flag":
            options |= {"action": "store_const", "const": "1"}
        else:
            options |= {"metavar": "|".join(row.choices) or row.kind.upper()}
        result.add_argument(row.flag, default=None, **options)
    return result


def misspelt(environ: Mapping[str, str]) -> str:
    """Return a sentence about variables that look like settings and are none; blank if all are."""
    known = [row.env for row in SETTINGS]
    strange = sorted(
        name
        for name in environ
        if name.upper().startswith(PREFIX) and not name.startswith(TESTS) and name not in known
    )
    if not strange:
        return ""
    listed = ", ".join(f"{name}{_meant(name, known)}" for name in strange)
    return f"these environment variables are no settings and change nothing: {listed}."


def _meant(name: str, known: Sequence[str]) -> str:
    near = difflib.get_close_matches(name.upper(), known, 1)
    return f" (did you mean {near[0]}?)" if near else ""


def _help(row: Setting) -> str:
    if row.kind == "flag":
        return f"{row.help} (environment: {row.env}=1)"
    return f"{row.help} (environment: {row.env}; default: {row.default or 'none'})"


def _read(row: Setting, given: Mapping[str, str | None], environ: Mapping[str, str]) -> object:
    """Return a setting's value. Raises SettingsError, naming what the text came by."""
    flag = given.get(row.name)
    if flag is not None:
        name, text = str(row.flag), flag.strip()
    else:
        name, text = row.env, environ.get(row.env, row.default).strip()
        if row.kind != "url":  # blank means absent, but for an address: there it means none
            text = text or row.default
    try:
        return _READERS[row.kind](row, text)
    except _WrongValueError as error:
        raise SettingsError(f"{name} {error}") from None


def _as_is(_: Setting, text: str) -> str:
    return text


def _choice(row: Setting, text: str) -> str:
    if text not in row.choices:
        raise _WrongValueError(f"must be one of {', '.join(row.choices)}, not {text!r}.")
    return text


def _path(_: Setting, text: str) -> Path:
    return Path(text).expanduser()


def _list(_: Setting, text: str) -> tuple[str, ...]:
    return tuple(item.strip() for item in text.split(",") if item.strip())


def _secrets(row: Setting, text: str) -> tuple[str, ...]:
    """Check the form of each; none is shown."""
    found = _list(row, text)
    if not all(is_secret(secret) for secret in found):
        raise _WrongValueError("must be whsec_ followed by the base64 of 24 to 64 random bytes.")
    return found


def _flag(_: Setting, text: str) -> bool:
    if text.lower() in ("1", "true", "yes", "on"):
        return True
    if text.lower() in ("", "0", "false", "no", "off"):
        return False
    raise _WrongValueError(f"must be 1 or 0, not {text!r}.")


def _number(row: Setting, text: str) -> float:
    try:
        value = int(text) if row.kind == "integer" else float(text)
    except ValueError:
        raise _WrongValueError(f"must be a number, not {text!r}.") from None
    if not math.isfinite(value) or not row.least <= value <= row.most:
        limits = f"at least {row.least:g}"
        if math.isfinite(row.most):
            limits = f"{row.least:g} to {row.most:g}"
        raise _WrongValueError(f"must be {limits}, not {text}.")
    return value


def is_base_url(text: str) -> bool:
    """Whether a text can be the address of an HTTP service."""
    try:
        parts = urlsplit(text)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port or an IPv6 address that is none
        return False


def _url(_: Setting, text: str) -> str:
    """Check a base address; blank is fine."""
    if text and not is_base_url(text):
        raise _WrongValueError(f"must be an address like http://host:port, not {text!r}.")
    return text.rstrip("/")


def _urls(row: Setting, text: str) -> str:
    """Check each address of a list; it stays one text, since most often it is one."""
    return ",".join(_url(row, item) for item in _list(row, text))


def _origins(row: Setting, text: str) -> tuple[str, ...]:
    """Check each address in full, scheme and all; `*` is refused on purpose."""
    return tuple(_url(row, item).lower() for item in _list(row, text))


def _servers(row: Setting, text: str) -> tuple[str, ...]:
    return tuple(_url(row, item) if "://" in item else item for item in _list(row, text))


_READERS: Mapping[Kind, Callable[[Setting, str], object]] = {
    "text": _as_is,
    "secret": _as_is,
    "secrets": _secrets,
    "integer": _number,
    "number": _number,
    "flag": _flag,
    "path": _path,
    "url": _url,
    "urls": _urls,
    "choice": _choice,
    "list": _list,
    "origins": _origins,
    "servers": _servers,
}
