"""Finished files go to their places, and what they hold is told. Must not know who made them."""

from __future__ import annotations

from pathlib import Path

from sidecar.engine import VideoInfo

from .orders import Made, Order
from .places import put


def deliver(
    order: Order, files: tuple[Path, Path], info: VideoInfo, pipeline: str, understood: str
) -> Made:
    """Put still and video (`files`, in this order) where they are to be. Raises MakingError."""
    image, video = files
    if order.still is not None:
        put(image, order.still, force=order.force)
    put(video, order.video, force=order.force)
    return Made(
        order.video,
        order.still,
        round(info.seconds, 3),
        info.extent.width,
        info.extent.height,
        info.frames,
        info.bytes,
        pipeline,
        understood,
    )
