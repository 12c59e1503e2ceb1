"""The program: `promptreel serve`, or `python -m sidecar`.

Knows the command line, signals and what is said at the start. Imports the service itself only when
it is to be started, so that `--help` and a wrong setting answer at once.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sqlite3
import sys
from collections.abc import Sequence

from .settings import Settings, SettingsError, load_settings


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until a signal; return the exit status."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if given[:1] == ["serve"]:
        given = given[1:]
    try:
        settings = load_settings(given, os.environ)
    except SettingsError as error:
        return _refuse(str(error))
    logging.basicConfig(
        level=settings.log_level.upper(), format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    return _serve(settings)


def _serve(settings: Settings) -> int:
    from .manifest import PipelineError  # noqa: PLC0415  as below
    from .server import serve  # noqa: PLC0415  loads aiohttp

    try:
        asyncio.run(serve(settings))
    except KeyboardInterrupt:  # where the event loop can't handle signals (Windows)
        return 0
    except OSError as error:
        what = f"{error.filename}: " if error.filename else ""
        return _refuse(f"It can't start: {what}{error.strerror or error}.")
    except sqlite3.Error as error:
        return _refuse(f"It can't start: the list of jobs in {settings.data_dir}: {error}.")
    except PipelineError as error:
        return _refuse(f"It can't start: {error}")
    return 0


def _refuse(sentence: str) -> int:
    sys.stderr.write(f"promptreel: {sentence}\n")
    return 2


if __name__ == "__main__":
    sys.exit(main())
