"""The Result node: the video and its still as files, and the record that names them.

The sidecar reads the record (`promptreel`) from ComfyUI's history; the editor shows the video from
`images` and `animated`. All of it is plain JSON: anything else in `ui` ends ComfyUI's process.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import torch
from comfy_api.latest import Input, InputImpl, Types, io
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from ..engine.errors import ParameterError
from ..engine.values import Picture
from .files import Saved, appearing, as_tags, metadata, output_names
from .schema import schema
from .tensors import first_picture


class Result(io.ComfyNode):
    """Saves what the graph has made. Any VIDEO will do, not only the pack's own."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        """Declare: a VIDEO and perhaps its still in; files out."""
        return schema(
            "PromptReelResult",
            [
                io.Video.Input("video"),
                io.String.Input("filename_prefix", default="promptreel/PromptReel"),
                io.Image.Input("image", optional=True),
            ],
            is_output_node=True,
        )

    @classmethod
    def execute(
        cls, video: Input.Video, filename_prefix: str, image: torch.Tensor | None = None
    ) -> io.NodeOutput:
        """Write both files, or neither."""
        tags = metadata(cls.hidden.prompt, cls.hidden.extra_pnginfo)
        video = _evened(video)
        width, height = video.get_dimensions()
        movie, still = output_names(filename_prefix, width, height, "mp4", "png")
        with appearing(still.path) as png, appearing(movie.path) as mp4:
            _save_video(video, mp4, tags)
            _save_picture(_first_frame(mp4) if image is None else first_picture(image), png, tags)
        return io.NodeOutput(ui=_record(movie, still))


def _evened(video: Input.Video) -> Input.Video:
    """Return a video that H.264 takes: its sides are even, so a last odd row or column goes."""
    width, height = video.get_dimensions()
    if width % 2 == 0 and height % 2 == 0:
        return video
    if min(width, height) < 2:
        raise ParameterError(f"The video is too small to be saved: {width}x{height} pixels.")
    made = video.get_components()
    images = made.images[:, : height - height % 2, : width - width % 2]
    return InputImpl.VideoFromComponents(replace(made, images=images))


def _save_video(video: Input.Video, path: Path, tags: Mapping[str, Any]) -> None:
    """Save as what every browser plays."""
    video.save_to(
        str(path),
        format=Types.VideoContainer.MP4,
        codec=Types.VideoCodec.H264,
        metadata=dict(tags) or None,
    )


def _save_picture(picture: Picture, path: Path, tags: Mapping[str, Any]) -> None:
    info = PngInfo()
    for key, value in as_tags(tags).items():
        info.add_text(key, value)
    Image.fromarray(picture).save(path, format="PNG", pnginfo=info, compress_level=4)


def _first_frame(path: Path) -> Picture:
    with av.open(str(path)) as container:
        return next(container.decode(video=0)).to_ndarray(format="rgb24")


def _record(movie: Saved, still: Saved) -> dict[str, Any]:
    """Return what history keeps of this node."""
    named = {"image": still.as_ui(), "video": movie.as_ui()}
    return {
        "promptreel": [{**named, **_facts(movie.path)}],
        "images": [movie.as_ui()],
        "animated": [True],
    }


def _facts(path: Path) -> dict[str, int | float]:
    """Return size, rate and length as the MP4's header tells them: nothing is decoded."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        rate = stream.average_rate or Fraction(1)
        return {
            "width": stream.width,
            "height": stream.height,
            "fps": float(rate),
            "frames": stream.frames,
            "seconds": float(stream.frames / rate),
        }
