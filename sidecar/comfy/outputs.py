"""Which files a finished prompt made, by the `outputs` of its history record. Pure.

Save nodes name their files under whatever key they like (`images`, `gifs`, `video`...), with
`animated` or text beside them. Must not know pipelines.
"""

from __future__ import annotations

from collections.abc import Collection

from sidecar.values import Json

from .client import FileRef
from .shapes import an_object, objects

RECORD = "promptreel"  # the key of the Result node's own record


def named_file(outputs: Json, node: str, kind: str) -> FileRef | None:
    """Return the file that a Result node's record calls `kind` ("image" or "video")."""
    for record in objects(an_object(outputs.get(node)).get(RECORD)):
        return _file(record.get(kind))
    return None


def saved_file(outputs: Json, node: str, suffixes: Collection[str]) -> FileRef | None:
    """Return the node's first file with one of the suffixes; a kept one before a temporary one."""
    found = [
        ref
        for entries in an_object(outputs.get(node)).values()
        for ref in map(_file, objects(entries))
        if ref is not None and suffix(ref) in suffixes
    ]
    return min(found, key=lambda ref: ref.type != "output", default=None)


def suffix(ref: FileRef) -> str:
    """Return what a file's name ends with, in lower case; "jpeg" is "jpg"."""
    end = ref.filename.rpartition(".")[2].lower()
    return "jpg" if end == "jpeg" else end


def _file(entry: object) -> FileRef | None:
    typed = an_object(entry)
    name = typed.get("filename")
    if not isinstance(name, str) or not name:
        return None
    return FileRef(name, str(typed.get("subfolder") or ""), str(typed.get("type") or "output"))
