"""One running ComfyUI: its own folders, its own port, its log.

Knows processes and ComfyUI's command line; must not know graphs or tests.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.e2e.comfyui import Installation

LAUNCHER = Path(__file__).with_name("comfyui_launch.py")
PACK = Path(__file__).parents[2] / "custom_nodes" / "promptreel"
BOOT_SECONDS = 90


class ComfyUI:
    """A ComfyUI server process on 127.0.0.1 with all of its folders under `base`."""

    def __init__(
        self,
        installation: Installation,
        base: Path,
        arguments: tuple[str, ...] = (),
        environment: Mapping[str, str] | None = None,
    ):
        self.installation = installation
        self.base = base
        self.arguments = arguments
        self.environment = environment or {}
        self.port = _free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.input_dir = base / "input"
        self.output_dir = base / "output"
        self.temp_dir = base / "temp"
        self.custom_nodes = base / "custom_nodes"
        self._log = base / "comfyui.log"
        self._process: subprocess.Popen[bytes] | None = None
        for name in ("input", "output", "user", "models", "custom_nodes"):
            (base / name).mkdir(parents=True, exist_ok=True)

    @property
    def pid(self) -> int:
        """The server's process id."""
        assert self._process is not None
        return self._process.pid

    def link_pack(self, pack: Path = PACK) -> None:
        """Put the pack into custom_nodes: a link, or a copy where links aren't allowed."""
        self.link("promptreel", pack)

    def link(self, name: str, folder: Path) -> None:
        """Put any folder into custom_nodes under a name."""
        place = self.custom_nodes / name
        try:
            place.symlink_to(folder, target_is_directory=True)
        except OSError:
            shutil.copytree(folder, place)

    def start(self) -> None:
        """Start and wait until it answers. Raises RuntimeError with the log's end if it doesn't."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command(), stdout=log, stderr=subprocess.STDOUT, env=self._environment()
            )
        deadline = time.monotonic() + BOOT_SECONDS
        while not self.answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.kill()
                raise RuntimeError(f"ComfyUI did not start:\n{self.log()[-4000:]}")
            time.sleep(0.1)

    def run_once(self) -> str:
        """Run a server that ends by itself (--quick-test-for-ci) and return its log."""
        with self._log.open("ab") as log:
            subprocess.run(
                self._command(),
                stdout=log,
                stderr=subprocess.STDOUT,
                env=self._environment(),
                timeout=BOOT_SECONDS,
                check=True,
            )
        return self.log()

    def answers(self) -> bool:
        """Whether the server answers now."""
        try:
            self.get("/system_stats")
        except (urllib.error.URLError, OSError):
            return False
        return True

    def ensure(self) -> None:
        """Start it if a test has killed it."""
        if self._process is None or self._process.poll() is not None:
            self.start()

    def get(self, path: str) -> Any:
        """GET a JSON answer."""
        with urllib.request.urlopen(self.url + path, timeout=10) as answer:
            return json.load(answer)

    def post(self, path: str, body: Any) -> None:
        """POST a JSON body."""
        data = json.dumps(body).encode()
        headers = {"Content-Type": "application/json"}
        with urllib.request.urlopen(
            urllib.request.Request(self.url + path, data, headers), timeout=10
        ):
            pass

    def send(self, method: str, path: str) -> None:
        """Send a request without a body."""
        asked = urllib.request.Request(self.url + path, method=method)
        with urllib.request.urlopen(asked, timeout=10):
            pass

    def log(self) -> str:
        """All that the server has printed, earlier runs included."""
        return self._log.read_text(encoding="utf-8", errors="replace")

    def stop(self) -> None:
        """Ask it to end; kill it if it doesn't within 10 s."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """End it at once, as a crash would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(10)

    def restart(self) -> None:
        """Stop and start on the same port with the same folders."""
        self.stop()
        self.start()

    def _command(self) -> list[str]:
        database = (self.base / "user" / "comfyui.db").as_posix()
        return [
            str(self.installation.python),
            str(LAUNCHER),
            str(self.installation.folder),
            *("--cpu", "--disable-api-nodes", "--disable-auto-launch"),
            *("--listen", "127.0.0.1", "--port", str(self.port)),
            *("--base-directory", str(self.base)),
            *("--database-url", f"sqlite:///{database}"),
            *self.arguments,
        ]

    def _environment(self) -> dict[str, str]:
        fixed = {"PYTHONUNBUFFERED": "1", "PYTHONUTF8": "1", "PYTHONDONTWRITEBYTECODE": ""}
        return {**os.environ, **fixed, **self.environment}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
