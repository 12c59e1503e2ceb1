"""`promptreel serve`: the service, until a signal ends it.

Knows the settings and what is said at the start. Imports the service itself only when it is to be
started, so that `--help` and a wrong setting answer at once.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
from collections.abc import Sequence

from sidecar.observe.logs import set_up
from sidecar.observe.tracing import Tracing, tracing_by
from sidecar.settings import Settings, SettingsError, load_settings, misspelt, parser

from .speech import DONE, FAILED, USAGE, complain

__all__ = ["parser", "run"]


def run(arguments: Sequence[str]) -> int:
    """Serve until a signal; return the exit status."""
    warning = misspelt(os.environ)
    if warning:
        complain(f"warning: {warning}")
    try:
        settings = load_settings(arguments, os.environ)
        tracing = tracing_by(os.environ)
    except SettingsError as error:
        complain(str(error))
        return USAGE
    set_up(settings.log_level, settings.log_format)
    return _serve(settings, tracing)


def _serve(settings: Settings, tracing: Tracing) -> int:
    from sidecar.manifest import PipelineError  # noqa: PLC0415  as below
    from sidecar.server import serve  # noqa: PLC0415  loads aiohttp

    try:
        asyncio.run(serve(settings, tracing))
    except KeyboardInterrupt:  # where the event loop can't handle signals (Windows)
        return DONE
    except OSError as error:
        what = f"{error.filename}: " if error.filename else ""
        return _cannot_start(f"{what}{error.strerror or error}.")
    except sqlite3.Error as error:
        return _cannot_start(f"the list of jobs in {settings.data_dir}: {error}.")
    except (PipelineError, SettingsError) as error:  # the latter: the file of servers
        return _cannot_start(str(error))
    return DONE


def _cannot_start(why: str) -> int:
    complain(f"It can't start: {why}")
    return FAILED
