"""Tries the pack's VIDEO class as nodes of several ComfyUIs would. Runs in ComfyUI's Python.

    python lazy_video_check.py COMFYUI_FOLDER CUSTOM_NODES_FOLDER EMPTY_FOLDER

Prints what it saw as JSON; `test_pack_lazy_video` judges it.
"""

# pyright: basic, reportMissingImports=false, reportOptionalMemberAccess=false
from __future__ import annotations

import gc
import inspect
import io
import json
import sys
import time
import weakref
from fractions import Fraction
from pathlib import Path

sys.path[:0] = [sys.argv[1], sys.argv[2], str(Path(__file__).parent)]

import comfyui_launch  # noqa: E402  beside this file

sys.meta_path.insert(0, comfyui_launch.DeclareOperators())

import comfy.utils  # noqa: E402, F401  # what ComfyUI has loaded long before it comes to packs
import folder_paths  # noqa: E402
from comfy_api.latest import Input, InputImpl, Types  # noqa: E402

STARTED = time.process_time()
import promptreel.nodes  # noqa: E402, F401

IMPORT_SECONDS = time.process_time() - STARTED

import av  # noqa: E402
import numpy as np  # noqa: E402
import torch  # noqa: E402
from promptreel.engine.clip import compose  # noqa: E402
from promptreel.engine.scene import parse_scene  # noqa: E402
from promptreel.engine.values import Extent  # noqa: E402
from promptreel.nodes.lazy_video import LazyVideo  # noqa: E402

OUT = Path(sys.argv[3])
FPS = Fraction(10)


def video() -> LazyVideo:
    picture = np.random.default_rng(1).integers(0, 255, (120, 160, 3), dtype=np.uint8)
    picture = np.ascontiguousarray(np.repeat(np.repeat(picture[::8, ::8], 16, 0), 16, 1))
    scene = parse_scene("zoom in quickly")
    return LazyVideo(compose(picture, scene, extent=Extent(128, 96), fps=FPS, seconds=2.0))


def decoded(source: str | io.BytesIO) -> np.ndarray:
    with av.open(source) as container:
        return np.stack([f.to_ndarray(format="rgb24") for f in container.decode(video=0)])


def getters(lazy: LazyVideo) -> dict:
    return {
        "dimensions": lazy.get_dimensions(),
        "display": lazy.get_display_dimensions(),
        "duration": lazy.get_duration(),
        "count": lazy.get_frame_count(),
        "rate": str(lazy.get_frame_rate()),
        "container": lazy.get_container_format(),
        "bits": lazy.get_bit_depth(),
        "space": lazy.get_color_space(),
        "window": lazy.get_active_trim_window(),
        "pending": lazy.has_pending_frame_edits(),
    }


def saves(lazy: LazyVideo) -> dict:
    buffer, path, enum = io.BytesIO(), str(OUT / "a.mp4"), str(OUT / "b.mp4")
    lazy.save_to(buffer, format=Types.VideoContainer.MP4, codec=Types.VideoCodec.H264)
    buffer.seek(0)
    newer = {"bit_depth": 8, "crf": None, "color_space": "sRGB", "preset": "ultrafast"}
    lazy.save_to(path, "auto", "auto", {"workflow": {"a": 1}, "note": "text"}, **newer)
    lazy.save_to(enum, Types.VideoContainer.AUTO, Types.VideoCodec.AUTO)
    with av.open(path) as container:
        tags = {key: container.metadata.get(key) for key in ("workflow", "note")}
    return {"buffer": len(decoded(buffer)), "path": len(decoded(path)), "tags": tags}


def delegation(lazy: LazyVideo) -> str:
    """ComfyUI 0.3.75 writes no mkv; it is ComfyUI that must say so, not we."""
    try:
        lazy.save_to(str(OUT / "c.mkv"), format="mkv", codec="h264")
    except ValueError as error:
        return str(error)
    return f"{len(decoded(str(OUT / 'c.mkv')))} frames"


def nearest(frame: torch.Tensor, frames: torch.Tensor) -> int:
    """Return which of the frames this one is."""
    return int((frames - frame).abs().mean((1, 2, 3)).argmin())


def trims(lazy: LazyVideo) -> dict:
    whole = lazy.get_components().images
    middle, tail = lazy.as_trimmed(0.5, 1.0), lazy.as_trimmed(-0.5)
    assert middle is not None
    assert tail is not None
    frames = middle.get_components().images
    return {
        "lazy": isinstance(middle, LazyVideo),
        "count": middle.get_frame_count(),
        "shown": [nearest(frames[0], whole), nearest(frames[-1], whole)],
        "tail": tail.get_frame_count(),
        "tail_shown": nearest(tail.get_components().images[0], whole),
        "twice": middle.as_trimmed(0.5).get_frame_count(),
        "all": lazy.as_trimmed().get_frame_count(),
        "beyond": lazy.as_trimmed(5.0, 1.0) is None,
        "too_long": lazy.as_trimmed(1.5, 1.0, strict_duration=True) is None,
        "cut": lazy.as_trimmed(1.5, 1.0).get_frame_count(),
    }


def source(lazy: LazyVideo) -> dict:
    first = lazy.get_stream_source()
    facts = {
        "memoised": lazy.get_stream_source() == first,
        "in_temp": Path(first).is_relative_to(folder_paths.get_temp_directory()),
        "file": len(decoded(str(InputImpl.VideoFromFile(first).get_stream_source()))),
    }
    Path(first).unlink()
    return facts | {"comes_back": Path(lazy.get_stream_source()).is_file()}


def identity() -> dict:
    one, other = video(), video()
    watch = weakref.ref(one)
    keyed = weakref.WeakKeyDictionary({one: 1, other: 2})
    facts = {"distinct": one != other, "keys": len(keyed)}
    del one
    gc.collect()
    return facts | {"freed": watch() is None}


def main() -> None:
    folder_paths.set_temp_directory(str(OUT / "temp"))
    lazy = video()
    components = lazy.get_components()
    names = [name for name, _ in inspect.getmembers(LazyVideo, inspect.isfunction)]
    seen = {
        "import_seconds": IMPORT_SECONDS,
        "is_video": isinstance(lazy, Input.Video),
        "own": [name for name in names if name in vars(LazyVideo)],
        "getters": getters(lazy),
        "components": [list(components.images.shape), str(components.images.dtype)],
        "rate": str(components.frame_rate),
        "saves": saves(lazy),
        "mkv": delegation(lazy),
        "trims": trims(lazy),
        "source": source(lazy),
        "identity": identity(),
    }
    print(json.dumps(seen))


if __name__ == "__main__":
    main()
