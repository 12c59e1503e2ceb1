"""The real ComfyUI for the chaos tests, found as the end-to-end tests find it.

The two long suites run where PROMPTREEL_TEST_CHAOS=1 asks for them: they take four minutes, and
need a machine that does nothing else.
"""

from __future__ import annotations

import os

from tests.e2e.conftest import (
    comfyui_installation,
    pytest_collection_finish,
    pytest_collection_modifyitems,
)

__all__ = ["comfyui_installation", "pytest_collection_finish", "pytest_collection_modifyitems"]

collect_ignore = (
    [] if os.environ.get("PROMPTREEL_TEST_CHAOS") else ["test_chaos.py", "test_load.py"]
)
