"""The real ComfyUI for the chaos tests, found as the end-to-end tests find it.

The long suites take four minutes: PROMPTREEL_TEST_CHAOS=0 leaves them out, but not in CI.
"""

from __future__ import annotations

import os

from tests.e2e.conftest import (
    comfyui_installation,
    pytest_collection_finish,
    pytest_collection_modifyitems,
)

__all__ = ["comfyui_installation", "pytest_collection_finish", "pytest_collection_modifyitems"]

LONG = ["test_chaos.py", "test_full_disk.py", "test_load.py", "test_suspended.py"]
collect_ignore = (
    LONG if os.environ.get("PROMPTREEL_TEST_CHAOS") == "0" and not os.environ.get("CI") else []
)
