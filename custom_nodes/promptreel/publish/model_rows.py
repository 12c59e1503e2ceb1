"""The rows of "models" in a pipeline.json: one model file each, strictly checked. Pure.

A row's name becomes a path when the file is downloaded, so it can't lead out of its folder. Must
not know pipelines' other keys or where models lie.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from .pipelines import ModelFile
from .values import Json

OLDER_NAMES: Mapping[str, str] = {"unet": "diffusion_models", "clip": "text_encoders"}

_KEYS = ("name", "folder", "bytes", "licence", "source", "sha256")
_OLDER_KEY = "size"  # what "bytes" was called first
_FOLDER = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.-]{0,63}")
_PART = re.compile(r"(?!\.)[^\x00-\x1f<>:\"/\\|?*]{1,200}(?<![. ])")  # a name on every system
_LARGEST = 1 << 50  # bytes
_SHA256 = re.compile(r"[0-9a-f]{64}")


class ModelRowError(ValueError):
    """A row of "models" can't be used; one sentence that says which and why."""


def read_model(row: Json) -> ModelFile:
    """Return the file that a row tells. Raises ModelRowError."""
    for key in row:
        if key not in (*_KEYS, _OLDER_KEY):
            listed = ", ".join(_KEYS)
            raise ModelRowError(f'"models" has an unknown {key!r}: known are {listed}.')
    name, folder = _text(row, "name"), _text(row, "folder")
    if not name or not folder:
        raise ModelRowError('each of "models" needs a "name" and a "folder".')
    return ModelFile(
        name=_relative(name),
        folder=_folder(folder, name),
        size=_size(row, name),
        licence=_text(row, "licence"),
        source=_source(row, name),
        sha256=_sha256(row, name),
    )


def present_name(folder: str) -> str:
    """Return ComfyUI's present name of a models folder: "diffusion_models" for "unet"."""
    return OLDER_NAMES.get(folder, folder)


def _text(row: Json, key: str) -> str:
    """Return a text; null means what a missing key means: it is not known."""
    value = row.get(key)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise ModelRowError(f'the "{key}" of a model must be a text.')
    return value


def _relative(name: str) -> str:
    plain = name.replace("\\", "/")
    if not all(_PART.fullmatch(part) for part in plain.split("/")):
        raise ModelRowError(
            f"the model's name {name!r} must be a file name, or one in a subfolder."
        )
    return plain


def _folder(folder: str, name: str) -> str:
    if not _FOLDER.fullmatch(folder):
        raise ModelRowError(
            f'the "folder" of {name} must be the name of a models folder like "vae"; a subfolder '
            'belongs to the "name".'
        )
    return present_name(folder)


def _size(row: Json, name: str) -> int | None:
    value = row.get("bytes", row.get(_OLDER_KEY))
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or not 0 < value < _LARGEST:
        raise ModelRowError(f'the "bytes" of {name} must be a whole number above 0.')
    return value


def _source(row: Json, name: str) -> str:
    value = _text(row, "source")
    if value and not re.fullmatch(r"https?://[^\s/]+/\S*", value):
        raise ModelRowError(f'the "source" of {name} must be an address: https://...')
    return value


def _sha256(row: Json, name: str) -> str:
    value = _text(row, "sha256").lower()
    if value and not _SHA256.fullmatch(value):
        raise ModelRowError(f'the "sha256" of {name} must have 64 hexadecimal digits.')
    return value
