"""The still of a video whose pipeline makes none: a plain function, run off the event loop."""

# PyAV's and Pillow's openers are typed in part.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
from __future__ import annotations

from pathlib import Path

from PIL import Image

from sidecar.disk import trouble

from .playable import BROKEN, PICTURES, opened


def save_first_frame(video: Path, target: Path) -> bool:
    """Write the first frame as a PNG; False if the file holds no frame that can be decoded."""
    try:
        if video.suffix in PICTURES:
            with Image.open(video, formats=("GIF", "WEBP")) as image:
                image.convert("RGB").save(target, "PNG", compress_level=3)
            return True
        with opened(video) as container:
            for frame in container.decode(video=0):
                frame.to_image().save(target, "PNG", compress_level=3)
                return True
    except BROKEN as error:
        if trouble(error) is not None:
            raise  # the disk's fault, not the video's
        return False
    return False
