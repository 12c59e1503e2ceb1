"""The one place of the sidecar that knows where the pack and its pure engine live.

Everything the sidecar needs of the engine is re-exported here; no other file names the pack. It
takes a while to import (PyAV, OpenCV, numpy): only `backends/worker.py` and `studio/understood.py`
do, and that off the event loop.
"""

from promptreel.engine.clip import Clip, compose, first_frame, rgb_frames
from promptreel.engine.describe import scene_view
from promptreel.engine.encode import write_video
from promptreel.engine.errors import EncodeError, EngineError, PictureError
from promptreel.engine.formats import FORMATS
from promptreel.engine.framing import frame_extent
from promptreel.engine.limits import check_fps
from promptreel.engine.look import grade
from promptreel.engine.picture import load_picture, sniff
from promptreel.engine.probe import probe
from promptreel.engine.scene import parse_scene
from promptreel.engine.values import Extent, Picture, VideoInfo

__all__ = [
    "FORMATS",
    "Clip",
    "EncodeError",
    "EngineError",
    "Extent",
    "Picture",
    "PictureError",
    "VideoInfo",
    "check_fps",
    "compose",
    "first_frame",
    "frame_extent",
    "grade",
    "load_picture",
    "parse_scene",
    "probe",
    "rgb_frames",
    "scene_view",
    "sniff",
    "write_video",
]
