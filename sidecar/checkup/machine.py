"""Python, the optional extras, and whether each video format can really be made. Blocks."""

from __future__ import annotations

import platform
import sys
import tempfile
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from .findings import Finding, bad, note, ok

_EXTRAS = (
    ("models", "huggingface_hub", "promptreel models pull downloads models"),
    ("otel", "opentelemetry.sdk", "traces go to a collector"),
    ("completion", "argcomplete", "a shell completes the commands"),
)


def python() -> Iterator[Finding]:
    """Tell of Python and the extras."""
    yield ok("python", f"Python {platform.python_version()} on {platform.system()}.")
    for extra, module, use in _EXTRAS:
        if _is_there(module):
            yield ok("extras", f"{extra}: {use}.")
        else:
            do = f"If you want it: {sys.executable} -m pip install 'promptreel[{extra}]'."
            yield note("extras", f"The extra {extra} is not installed: with it {use}.", do)


def encoders() -> Iterator[Finding]:
    """Make a video of five frames in every format."""
    try:
        from sidecar.engine import FORMATS  # noqa: PLC0415  what may be broken is what is asked
    except (ImportError, OSError) as error:
        do = "Install it anew: python install.py run."
        yield bad("encoders", f"The engine can't be loaded: {error}.", do)
        return
    with tempfile.TemporaryDirectory() as folder:
        for name in FORMATS:
            trouble = _probe(name, Path(folder, f"video.{name}"))
            if trouble:
                do = "Install PyAV as it comes from PyPI: pip install --force-reinstall av."
                yield bad("encoders", f"No {name} can be made: {trouble}", do)
            else:
                yield ok("encoders", f"{name}: five frames made and read back.")


def _probe(kind: str, path: Path) -> str:
    """Return what goes wrong in a tiny video, if anything."""
    from sidecar.engine import (  # noqa: PLC0415  as above
        EngineError,
        Extent,
        check_fps,
        compose,
        load_picture,
        parse_scene,
        probe,
        write_video,
    )

    extent, fps = Extent(64, 64), check_fps(10)
    try:
        picture = load_picture(_picture(path.with_suffix(".png")))
        scene = parse_scene("pan left", "")
        clip = compose(picture, scene, extent=extent, fps=fps, seconds=0.5, seed=0)
        write_video(clip, path, format=kind)
        frames = probe(path).frames
    except EngineError as error:
        return str(error)
    return "" if frames == clip.frames else f"{frames} of {clip.frames} frames are in it."


def _picture(path: Path) -> Path:
    from PIL import Image  # noqa: PLC0415  slow

    Image.linear_gradient("L").resize((64, 64)).rotate(90).convert("RGB").save(path, "PNG")
    return path


def _is_there(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:  # not even its parent
        return False
