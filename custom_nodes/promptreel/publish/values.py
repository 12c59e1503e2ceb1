"""What JSON objects are called here. Knows nothing else."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]
