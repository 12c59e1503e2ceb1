"""Where ComfyUI keeps files: pictures to read, names for results, metadata.

Knows folder_paths and ComfyUI's command line; must not know nodes or pixels.
"""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PureWindowsPath
from typing import Any

import folder_paths
from comfy.cli_args import args

from ..engine.errors import ParameterError

MAX_NAME = 200  # bytes of a folder's or file's name; file systems take 255, with our number


@dataclass(frozen=True)
class Saved:
    """A file in the output folder, as ComfyUI's history names it."""

    folder: Path
    filename: str
    subfolder: str

    @property
    def path(self) -> Path:
        """The file itself."""
        return self.folder / self.filename

    def as_ui(self) -> dict[str, str]:
        """Return what `/view` takes."""
        return {"filename": self.filename, "subfolder": self.subfolder, "type": "output"}


def input_pictures() -> list[str]:
    """Return the names of the pictures in the input folder, for the upload widget."""
    folder = folder_paths.get_input_directory()
    names = [entry.name for entry in os.scandir(folder) if entry.is_file()]
    return sorted(folder_paths.filter_files_content_types(names, ["image"]))


def picture_path(name: str) -> Path | None:
    """Return the file that an upload widget names ("a.png", "promptreel/a.png [input]").

    None if there is none, or if the name leads out of ComfyUI's own folders.
    """
    bare, folder = folder_paths.annotated_filepath(name)
    inner = Path(bare)
    if inner.anchor or ".." in inner.parts:
        return None
    path = Path(folder or folder_paths.get_input_directory()) / inner
    return path if path.is_file() else None


def output_names(prefix: str, width: int, height: int, *extensions: str) -> tuple[Saved, ...]:
    """Return fresh file names in the output folder that share one number.

    A prefix without a name would give hidden files: the pack's name stands in for it. Raises
    ParameterError for one that leads out of the output folder, or that no file system takes.
    """
    _check_prefix(prefix)
    named = Path(prefix).name.strip(". ")
    root = folder_paths.get_output_directory()
    folder, name, counter, subfolder, _ = folder_paths.get_save_image_path(
        prefix if named else "PromptReel", root, width, height
    )
    place = subfolder.replace("\\", "/")
    files = (f"{name}_{counter:05}_.{extension}" for extension in extensions)
    return tuple(Saved(Path(folder), file, place) for file in files)


def _check_prefix(prefix: str) -> None:
    parts = prefix.replace("\\", "/").split("/")
    outside = ".." in parts or PureWindowsPath(prefix).anchor
    if outside or "\0" in prefix:
        raise ParameterError(
            "The file name must stay in ComfyUI's output folder: write it like 'promptreel/clip'."
        )
    if any(len(part.encode()) > MAX_NAME for part in parts):
        raise ParameterError(f"The file name is too long: use at most {MAX_NAME} bytes for a part.")


def temporary(extension: str) -> Path:
    """Return a fresh name in ComfyUI's temp folder, which it empties at its next start."""
    folder = Path(folder_paths.get_temp_directory())
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f"promptreel_{uuid.uuid4().hex}.{extension}"


@contextmanager
def appearing(target: Path) -> Iterator[Path]:
    """Give a name to write to, which becomes `target` at the end, or vanishes on any failure."""
    part = target.with_name(f".{uuid.uuid4().hex}{target.suffix}")
    try:
        yield part
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)


def metadata(prompt: object, extra: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return what ComfyUI writes into its files: prompt and workflow, unless told not to."""
    if args.disable_metadata:
        return {}
    return {**(extra or {}), **({"prompt": prompt} if prompt is not None else {})}


def as_tags(values: Mapping[str, Any] | None) -> dict[str, str]:
    """Return metadata as a container's text tags; what is not text becomes JSON."""
    pairs = (values or {}).items()
    return {key: v if isinstance(v, str) else json.dumps(v) for key, v in pairs}
