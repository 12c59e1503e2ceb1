"""The files that the fake ComfyUI makes: a real video and a real picture, both small."""

from __future__ import annotations

import functools
import io

import av
from PIL import Image


@functools.cache
def video() -> bytes:
    """Return a real MP4 of two frames, 32x32."""
    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=10)
        stream.width = stream.height = 32
        frames = [av.VideoFrame(32, 32, "yuv420p"), av.VideoFrame(32, 32, "yuv420p"), None]
        for frame in frames:
            container.mux(stream.encode(frame))
    return file.getvalue()


@functools.cache
def still() -> bytes:
    """Return a real PNG."""
    file = io.BytesIO()
    Image.new("RGB", (32, 32), (90, 60, 30)).save(file, "PNG")
    return file.getvalue()
