"""One decoded Pillow image of any mode to plain 8-bit sRGB.

Knows Pillow's modes, ICC profiles and alpha. Must not know files.
"""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

_DEEP = ("I", "I;16", "I;16B", "I;16L", "I;16N", "F")
_WITH_ALPHA = ("LA", "PA", "RGBA", "RGBa")


def to_rgb(image: Image.Image) -> Image.Image:
    """Return `image` as mode RGB in sRGB; transparency lies over white."""
    if image.mode in _DEEP:
        image = _shallow(image)
    alpha = _alpha(image)
    rgb = _colors(image)
    if alpha is None:
        return rgb
    white = Image.new("RGB", rgb.size, (255, 255, 255))
    white.paste(rgb, mask=alpha)
    return white


def _shallow(image: Image.Image) -> Image.Image:
    """Scale 16-bit, 32-bit and float gray to 8 bits (65535 -> 255)."""
    values: npt.NDArray[Any] = np.asarray(image)
    if image.mode == "F":
        top = 1.0 if np.nanmax(values, initial=0) <= 1 else 255.0
        values = np.nan_to_num(values) * (255.0 / top)
    elif image.mode.startswith("I;16") or values.max(initial=0) > 255:
        values = values / 257.0
    return Image.fromarray(np.minimum(np.maximum(np.rint(values), 0), 255).astype(np.uint8))


def _alpha(image: Image.Image) -> Image.Image | None:
    if image.mode in _WITH_ALPHA or "transparency" in image.info:
        return image.convert("RGBA").getchannel("A")
    return None


def _colors(image: Image.Image) -> Image.Image:
    if image.mode in ("P", "PA", "RGBa"):
        image = image.convert("RGBA")
    if image.mode == "RGBA":
        image = _without_alpha(image)
    if image.mode in ("LA", "1"):
        image = image.convert("L")
    profile = image.info.get("icc_profile")
    converted = _through_profile(image, profile) if isinstance(profile, bytes) else None
    return converted or image.convert("RGB")


def _without_alpha(image: Image.Image) -> Image.Image:
    """Drop the alpha channel, keeping the colours below it and the profile."""
    rgb = Image.merge("RGB", image.split()[:3])
    rgb.info = {k: v for k, v in image.info.items() if k == "icc_profile"}
    return rgb


def _through_profile(image: Image.Image, profile: bytes) -> Image.Image | None:
    """Return `image` moved from its ICC profile to sRGB; None if the profile is of no use."""
    try:
        from PIL import ImageCms  # noqa: PLC0415  absent from some builds of Pillow
    except ImportError:
        return None
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        if "sRGB" in ImageCms.getProfileDescription(source):
            return None
        return ImageCms.profileToProfile(image, source, _srgb(), outputMode="RGB")
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return None


def _srgb() -> Any:  # noqa: ANN401  Pillow leaves the core profile's type open
    from PIL import ImageCms  # noqa: PLC0415

    make: Any = getattr(ImageCms, "createProfile")  # noqa: B009  typed as unknown
    return make("sRGB")
