"""What some tests need of the machine: without it CI fails, and elsewhere the test is skipped."""

from __future__ import annotations

import os
import shutil
from typing import NoReturn

import pytest

BROWSERS = ("chromium", "chromium-browser", "google-chrome")


def lacking(sentence: str) -> NoReturn:
    """End the test: what it needs is not here."""
    if os.environ.get("CI"):
        pytest.fail(sentence, pytrace=False)
    pytest.skip(sentence)


def chromium() -> str:
    """Return the path of Chromium."""
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    return found or lacking("There is no Chromium: install it to run what needs a browser.")


def nginx() -> str:
    """Return the path of nginx, which is not always on a user's PATH."""
    found = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")
    return found or lacking("There is no nginx: install it to run what is said of a proxy.")
