"""Schemathesis asks a running service all that its own document allows, and all that it doesn't.

Every check it has, and its stateful links: no 5xx that is not documented, no answer that is not
what the document says, nothing right refused and nothing wrong accepted. With keys on each request
is also sent without one and with a wrong one (its check `ignored_auth`). HEAD is asked where the
document has it: for files. PROMPTREEL_TEST_CONTRACT=1 asks 5000 times and more, which takes a
quarter of an hour; otherwise it is a minute.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import urllib.request
from contextlib import contextmanager
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
KEY = "0123456789abcdefghij"
LONG = os.environ.get("PROMPTREEL_TEST_CONTRACT") == "1"
LOCKED = {"PROMPTREEL_API_KEY": KEY}


@contextmanager
def service(folder: Path, settings: dict[str, str]):
    """Give the address of a service of its own process that makes its videos itself."""
    command = [sys.executable, "-m", "sidecar", "serve", "--port", "0", "--data-dir", str(folder)]
    environment = {
        **os.environ,
        **settings,
        "PROMPTREEL_MODE": "demo",
        "PROMPTREEL_MAX_QUEUED": "5",
    }
    with (
        (folder.parent / "log").open("w+b") as log,
        subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=log, text=True
        ) as process,
    ):
        try:
            assert process.stdout is not None
            found = re.search(r"listens on (http://\S+)", process.stdout.readline())
            assert found, (folder.parent / "log").read_text(encoding="utf-8")
            with urllib.request.urlopen(f"{found[1]}/api/openapi.json", timeout=120) as document:
                document.read()  # it takes a while the first time; Schemathesis waits for 10 s
            yield found[1]
        finally:
            process.terminate()
            process.communicate(timeout=60)
        assert "Traceback" not in (folder.parent / "log").read_text(encoding="utf-8")


def run(url: str, folder: Path, *options: str) -> int:
    """Let Schemathesis ask the service; return how often it did."""
    command = [sys.executable, "-m", "schemathesis.cli", "run", f"{url}/api/openapi.json"]
    environment = {
        **os.environ,
        "SCHEMATHESIS_HOOKS": "tests.openapi.hooks",
        "PYTHONPATH": str(ROOT),
        "PYTHONIOENCODING": "utf-8",
    }
    ran = subprocess.run(
        [*command, "--request-timeout", "240", "--continue-on-failure", *options],
        cwd=folder,
        env=environment,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert ran.returncode == 0, ran.stdout[-8000:] + ran.stderr[-2000:]
    assert "Unsupported regex" not in ran.stdout, ran.stdout[-3000:]  # it would take any text then
    cases = re.search(r"(\d+) generated", ran.stdout)
    assert cases, ran.stdout[-3000:]
    return int(cases[1])


@pytest.mark.timeout(7200 if LONG else 900)
@pytest.mark.parametrize("settings", [{}, LOCKED], ids=["open", "locked"])
def test_the_service_is_what_its_document_says(tmp_path, settings):
    pytest.importorskip("schemathesis", reason="it needs Python 3.11")
    options = ["--max-examples", "400" if LONG else "4"]
    if settings:
        options += ["--header", f"Authorization: Bearer {KEY}"]
        options += [] if LONG else ["--phases", "coverage"]  # which leaves keys out, too
    with service(tmp_path / "data", settings) as url:
        asked = run(url, tmp_path, *options)
    assert asked >= (5000 if LONG else 300)
