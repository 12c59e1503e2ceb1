"""What makes an encoder give the same file for the same frames.

Knows libx264's one fault of that kind: its AVX-512 code for `mbtree` with B-frames reads memory
that was never set where a frame isn't a multiple of 128 pixels wide (seen in FFmpeg 8's), so that
the file changed with what the process did before. AVX2's code is right, and as fast.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path

_CPU = Path("/proc/cpuinfo")  # where there is none, nothing is known and nothing changed


def steady(encoder: str) -> Mapping[str, str]:
    """Return the options that an encoder needs here to be repeatable."""
    return {"x264-params": "asm=avx2"} if encoder == "libx264" and _has_avx512() else {}


@cache
def _has_avx512() -> bool:
    with suppress(OSError):
        return " avx512f " in _CPU.read_text("utf-8", "replace")
    return False
