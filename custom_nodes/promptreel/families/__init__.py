"""The model families: one file each, listed here. Pure: no torch, no ComfyUI, no engine."""

from __future__ import annotations

from collections.abc import Mapping

from .base import Family, FamilyError, KeyframeFamily, Model
from .cosmos2 import COSMOS2
from .hunyuan15 import HUNYUAN15
from .kontext import KONTEXT
from .ltxv import LTXV
from .qwen_edit import QWEN_EDIT
from .sd_still import SD_STILL
from .svd import SVD
from .wan21 import WAN21
from .wan22 import WAN22
from .wan22_5b import WAN22_5B

__all__ = ["FAMILIES", "KEYFRAMES", "Family", "FamilyError", "KeyframeFamily", "Model"]

FAMILIES: Mapping[str, Family] = {
    family.id: family for family in (WAN22, WAN22_5B, WAN21, HUNYUAN15, LTXV, COSMOS2, SVD)
}
"""The video families by id."""

KEYFRAMES: Mapping[str, KeyframeFamily] = {
    family.id: family for family in (SD_STILL, QWEN_EDIT, KONTEXT)
}
"""The keyframe families by id."""
