"""The folder of published pipelines: `<name>/graph.json` and `<name>/pipeline.json`, as elsewhere.

Bounded in number and size, so that a service that reads them all stays small; no link is followed,
nothing outside of the folder is touched. Knows files; must not know where ComfyUI keeps them.
"""

from __future__ import annotations

import json
import re
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

from .errors import ImportFailure, NotAGraph
from .graphs import GraphError
from .manifest import NAME, PipelineError, read_pipeline
from .pipelines import Pipeline
from .source import graph_of, parsed
from .values import Json
from .writing import graph_text, manifest_text, put

MOST = 64  # pipelines of one ComfyUI
LARGEST_GRAPH = 2 << 20  # bytes
LARGEST_MANIFEST = 64 << 10  # bytes
GRAPH, MANIFEST = "graph.json", "pipeline.json"
SIZES: Mapping[str, int] = {GRAPH: LARGEST_GRAPH, MANIFEST: LARGEST_MANIFEST}

_DEVICES = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)


class Taken(ImportFailure):
    """There is one of that name already."""


class Unknown(ImportFailure):
    """There is none of that name."""


class Broken(ImportFailure):
    """The folder or the disk does not let us."""


@dataclass(frozen=True)
class Stored:
    """A published pipeline; of one that can't be used, `error` says why. `modified`: epoch s."""

    name: str
    modified: float
    pipeline: Pipeline | None = None
    manifest: Json | None = None
    error: str = ""


def published(name: str, manifest: bytes, graph: bytes) -> tuple[Pipeline, Json]:
    """Return the pipeline that two files make, and its manifest. Raises PipelineError.

    It is never the best of all where a request names none: its rank counts for nothing.
    """
    try:
        row = parsed(_text(manifest, MANIFEST, LARGEST_MANIFEST), MANIFEST)
        nodes = graph_of(parsed(_text(graph, GRAPH, LARGEST_GRAPH), GRAPH), GRAPH)
        if not isinstance(row, dict):
            raise PipelineError(f"its {MANIFEST} must hold a JSON object.")
        manifest_row = cast("Json", row)
        json.dumps(manifest_row, ensure_ascii=False).encode()
        pipeline = read_pipeline(name, manifest_row, nodes)
    except NotAGraph as error:
        raise PipelineError(f"{error}") from None
    except UnicodeEncodeError:
        raise PipelineError(f"its {MANIFEST} holds text that is not valid Unicode.") from None
    except GraphError as error:
        raise PipelineError(str(error)) from None
    return replace(pipeline, rank=0), manifest_row


def check_name(name: str) -> None:
    """Raise ImportFailure for what can't be a pipeline's name, and a folder's on every system."""
    if not NAME.fullmatch(name) or name.endswith(".") or _DEVICES.fullmatch(name):
        raise ImportFailure(
            "A pipeline's name may hold only letters, digits, '-', '_' and '.', begins with a "
            "letter or digit, does not end with '.', and has at most 64 of them."
        )


class Shelf:
    """The pipelines in one folder, which need not be there yet. All of it blocks."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def all(self) -> list[Stored]:
        """Return what is published, by name; at most MOST."""
        return [self._stored(name) for name in self._names()[:MOST]]

    def get(self, name: str) -> Stored:
        """Return one. Raises Unknown."""
        if name not in self._names():
            raise Unknown(f"There is no published pipeline {name[:60]!r}.")
        return self._stored(name)

    def put(self, name: str, manifest: Json, graph: Mapping[str, Json], *, again: bool) -> Stored:
        """Store one; `again`: one of that name may be replaced. Raises ImportFailure."""
        check_name(name)
        self._no_links(name)
        self._check_room(name, again)
        _check_sizes(manifest, graph)
        try:
            put(self._folder / name, manifest, graph)
        except OSError as error:
            raise Broken(f"ComfyUI can't write it: {error.strerror or 'the disk fails'}.") from None
        except PipelineError as error:
            raise ImportFailure(str(error)) from None
        return self._stored(name)

    def remove(self, name: str) -> None:
        """Remove one: at once for whoever looks. Raises Unknown, or Broken if that can't be."""
        self._no_links("")
        if name not in self._names():
            raise Unknown(f"There is no published pipeline {name[:60]!r}.")
        try:
            with tempfile.TemporaryDirectory(dir=self._folder, prefix=".old-") as away:
                (self._folder / name).rename(Path(away) / "gone")
                shutil.rmtree(Path(away) / "gone", ignore_errors=True)
        except OSError as error:
            reason = error.strerror or "the disk fails"
            raise Broken(f"ComfyUI can't remove it: {reason}.") from None

    def _names(self) -> list[str]:
        try:
            found = [place for place in self._folder.iterdir() if NAME.fullmatch(place.name)]
        except OSError:
            return []
        return sorted(p.name for p in found if p.is_dir() and not p.is_symlink())

    def _stored(self, name: str) -> Stored:
        place = self._folder / name
        modified = 0.0
        try:
            self._no_links(name)
            modified = max((place / file).stat().st_mtime for file in SIZES)
            texts = [_bytes(place / file, most) for file, most in SIZES.items()]
            pipeline, manifest = published(name, texts[1], texts[0])
        except (PipelineError, ImportFailure) as error:
            return Stored(name, modified, error=str(error))
        except OSError:
            return Stored(name, modified, error=f"its {GRAPH} or {MANIFEST} can't be read.")
        return Stored(name, modified, pipeline, manifest)

    def _check_room(self, name: str, again: bool) -> None:
        names = self._names()
        same = next((one for one in names if one.casefold() == name.casefold()), None)
        if same is not None and not (again and same == name):
            raise Taken(f"There is a pipeline {same!r} already: take another name, or replace it.")
        if same is None and len(names) >= MOST:
            raise ImportFailure(
                f"There are {MOST} published pipelines, and no more may be: remove one first."
            )

    def _no_links(self, name: str) -> None:
        """Raise Broken where a link would lead elsewhere."""
        place = self._folder / name if name else self._folder
        for path in (self._folder.parent, self._folder, place, *(place / file for file in SIZES)):
            if path.is_symlink():
                raise Broken(f"{path.name} is a link, which is not followed: remove it.")


def _bytes(path: Path, most: int) -> bytes:
    with path.open("rb") as file:
        return file.read(most + 1)


def _text(data: bytes, name: str, most: int) -> str:
    if len(data) > most:
        raise PipelineError(f"its {name} has more than {most} bytes.")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise PipelineError(f"its {name} is not JSON.") from None


def _check_sizes(manifest: Json, graph: Mapping[str, Json]) -> None:
    written = {GRAPH: graph_text(graph), MANIFEST: manifest_text(manifest)}
    for name, text in written.items():
        if len(text.encode()) > SIZES[name]:
            raise ImportFailure(
                f"The pipeline is too large: {name} takes at most {SIZES[name]} bytes."
            )
