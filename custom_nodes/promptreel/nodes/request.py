"""The Request node: everything that somebody asks for, in one place.

The sidecar fills its widgets; in the editor it is where one starts.
"""

from __future__ import annotations

import hashlib

from comfy_api.latest import io

from ..engine import limits
from ..engine.framing import ASPECTS, RESOLUTIONS, frame_extent
from ..engine.picture import load_picture
from ..engine.scene import parse_scene
from ..engine.values import Extent
from .files import input_pictures, picture_path
from .schema import schema
from .tensors import image_of

MAX_SEED = 0xFFFFFFFFFFFFFFFF


class Request(io.ComfyNode):
    """A picture, a text and the frame: the start of every graph."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        """Declare the widgets and what comes out of them."""
        return schema(
            "PromptReelRequest",
            [
                io.Combo.Input("image", options=input_pictures(), upload=io.UploadType.image),
                io.String.Input("text", multiline=True, default="slow push in, at sunset"),
                io.String.Input("negative", multiline=True, default=""),
                seconds_input(),
                io.Combo.Input("aspect", options=list(ASPECTS), default="source"),
                io.Combo.Input("resolution", options=list(RESOLUTIONS), default="720p"),
                fps_input(),
                io.Int.Input("seed", default=0, min=0, max=MAX_SEED, control_after_generate=True),
            ],
            [
                io.Image.Output(),
                io.String.Output(),
                io.Int.Output(),
                io.Float.Output(),
                io.Int.Output(),
                io.Int.Output(),
                io.Float.Output(),
                io.String.Output(),
            ],
        )

    @classmethod
    def validate_inputs(cls, image: str | None) -> bool | str:
        """Refuse a picture that is not there before anything runs. None: it comes by a link."""
        if image is None or picture_path(image):
            return True
        return f"There is no picture {image!r} in ComfyUI's input folder: upload it or choose one."

    @classmethod
    def fingerprint_inputs(cls, image: str | None, **_: object) -> str:
        """Run again when the file's bytes have changed, under whatever name."""
        path = picture_path(image) if image else None
        return hashlib.sha256(path.read_bytes()).hexdigest() if path else ""

    @classmethod
    def execute(
        cls,
        image: str,
        text: str,
        negative: str,
        seconds: float,
        aspect: str,
        resolution: str,
        fps: float,
        seed: int,
    ) -> io.NodeOutput:
        """Read the picture and work out the frame's size and the length."""
        path = picture_path(image)
        if path is None:
            raise ValueError(str(cls.validate_inputs(image)))
        picture = load_picture(path)
        frame = frame_extent(Extent.of(picture), aspect, resolution)
        length = chosen_seconds(seconds, parse_scene(text, negative).seconds)
        rate = float(limits.check_fps(fps))
        return io.NodeOutput(
            image_of([picture], 1), text, seed, length, frame.width, frame.height, rate, negative
        )


def seconds_input() -> io.Float.Input:
    """Return the length's widget: 0 stands for "as the text says"."""
    return io.Float.Input("seconds", default=0.0, min=0.0, max=limits.MAX_SECONDS, step=0.1)


def fps_input() -> io.Float.Input:
    """Return the frame rate's widget."""
    return io.Float.Input(
        "fps",
        default=float(limits.DEFAULT_FPS),
        min=float(limits.MIN_FPS),
        max=float(limits.MAX_FPS),
        step=0.01,
        round=0.001,
    )


def frame_of(width: int, height: int) -> Extent:
    """Return the frame's size, a pixel less where a linked one is odd: H.264 needs even sides."""
    return limits.check_extent(Extent(width - width % 2, height - height % 2))


def chosen_seconds(widget: float, said: float | None) -> float:
    """Return the length: the widget's, else the text's (fitted to the limits), else the default."""
    if widget:
        return limits.check_seconds(widget)
    return limits.clamp_seconds(said) if said else limits.DEFAULT_SECONDS
