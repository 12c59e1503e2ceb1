"""What we have put into somebody's custom_nodes, so that exactly that can be taken away again.

The record is one small file beside the pack. A file of a copy is ours while its content is still
what we wrote; whatever else lies in the folder belongs to somebody else.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

from .files import digest_of, files_in, link_of

RECORD = ".promptreel-install.json"


@dataclass(frozen=True)
class Record:
    """A link (and where it points to), or a copy (and its files' SHA-256 by relative path)."""

    link: str | None = None
    files: dict[str, str] = field(default_factory=dict[str, str])

    def is_ours(self, place: Path) -> bool:
        """Whether what lies there now still is of the kind that we put there."""
        if self.link is not None:
            return link_of(place) == self.link
        return link_of(place) is None and place.is_dir()

    def own_files(self, place: Path) -> list[Path]:
        """Return the files of a copy that are still as we wrote them."""
        known = ((place / name, digest) for name, digest in self.files.items())
        return [path for path, digest in known if path.is_file() and digest_of(path) == digest]

    def others_files(self, place: Path) -> list[Path]:
        """Return the files of a copy that we did not write, or that were changed since."""
        if self.link is not None:
            return []
        own = set(self.own_files(place))
        return [path for path in files_in(place) if path not in own]


def record_of(place: Path, pack: Path) -> Record:
    """Describe what we have just put there: a link, or those files that are the pack's own."""
    link = link_of(place)
    if link is not None:
        return Record(link)
    names = (path.relative_to(pack).as_posix() for path in files_in(pack))
    return Record(None, {name: digest_of(place / name) for name in names})


def read_record(custom_nodes: Path) -> Record | None:
    """Return the record, or None where there is none that can be read."""
    try:
        return Record(**json.loads((custom_nodes / RECORD).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def write_record(custom_nodes: Path, record: Record | None) -> None:
    """Write the record, whole or not at all; None takes it away."""
    path = custom_nodes / RECORD
    if record is None:
        path.unlink(missing_ok=True)
        return
    part = path.with_suffix(".part")
    part.write_text(json.dumps(asdict(record), indent=1), encoding="utf-8")
    part.replace(path)
