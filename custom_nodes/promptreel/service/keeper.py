"""Runs the service as long as somebody holds the other end of our standard input. Its own process.

    python keeper.py serve --port 0 ...

ComfyUI may end in any way, killed included: its end of the pipe is closed then, on every system,
and the service is told to stop as by a signal, so that it ends in good order. Standard library
only: whatever else is imported is the service's.
"""

from __future__ import annotations

import _thread
import os
import runpy
import signal
import sys
import threading


def stop_when_alone() -> None:
    """Wait until nobody holds the pipe, then stop this process."""
    while os.read(0, 1024):
        pass
    if sys.platform == "win32":
        _thread.interrupt_main(signal.SIGINT)
    else:
        os.kill(os.getpid(), signal.SIGTERM)


def main() -> None:
    """Run `python -m sidecar` with our arguments."""
    sys.path[:] = sys.path[1:]  # this file's folder is no place for its imports
    threading.Thread(target=stop_when_alone, name="keeper", daemon=True).start()
    sys.argv[0] = "promptreel"
    runpy.run_module("sidecar", run_name="__main__", alter_sys=False)


if __name__ == "__main__":
    main()
