"""Where a ComfyUI keeps its models: its own `models` folder, and `extra_model_paths.yaml`.

Follows ComfyUI's `folder_paths.py` and `utils/extra_config.py` (0.3.75). What only its command line
tells (--extra-model-paths-config, --base-directory) is not known here. Must not know pipelines.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

from sidecar.rules import OLDER_NAMES, present_name

from .errors import ModelsError

EXTRA = "extra_model_paths.yaml"


@dataclass(frozen=True)
class ComfyFolder:
    """A ComfyUI on disk. `first` and `extra`: further places of a models folder by its name."""

    root: Path
    first: Mapping[str, tuple[Path, ...]] = field(default_factory=dict[str, tuple[Path, ...]])
    extra: Mapping[str, tuple[Path, ...]] = field(default_factory=dict[str, tuple[Path, ...]])
    note: str = ""  # what could not be taken into account

    def places(self, folder: str) -> tuple[Path, ...]:
        """Return every place of a models folder; new files go into the first."""
        older = [old for old, present in OLDER_NAMES.items() if present == folder]
        own = [self.root / "models" / name for name in (folder, *older)]
        return (*self.first.get(folder, ()), *own, *self.extra.get(folder, ()))

    def find(self, folder: str, name: str) -> Path | None:
        """Return the file that a graph means by that name, if it is there."""
        files = (place / name for place in self.places(folder))
        return next((file for file in files if file.is_file()), None)

    def destination(self, folder: str, name: str) -> Path:
        """Return where a new file of that name goes."""
        return self.places(folder)[0] / name

    def shown(self, path: Path) -> str:
        """Return a path as people look for it: from the ComfyUI folder, else whole."""
        return path.relative_to(self.root).as_posix() if self.root in path.parents else str(path)


def open_folder(path: str) -> ComfyFolder:
    """Return the ComfyUI in that folder. Raises ModelsError if it is none."""
    root = Path(path).expanduser().absolute()
    if not (root / "models").is_dir():
        inner = root / "ComfyUI"
        meant = f" Did you mean {inner}?" if (inner / "models").is_dir() else ""
        raise ModelsError(
            f"{root} is no ComfyUI folder: name the one that holds main.py and models.{meant}"
        )
    if not (root / EXTRA).is_file():
        return ComfyFolder(root)
    return _with_extra(root)


def _with_extra(root: Path) -> ComfyFolder:
    try:
        import yaml  # noqa: PLC0415  comes with huggingface_hub
    except ModuleNotFoundError:
        return ComfyFolder(
            root, note=f"{EXTRA} is not looked at: pip install huggingface_hub brings its reader."
        )
    try:
        sections: object = yaml.safe_load((root / EXTRA).read_text(encoding="utf-8"))
        found = list(_rows(root, sections))
    except (OSError, ValueError, AttributeError, yaml.YAMLError):
        raise ModelsError(
            f"{root / EXTRA} can't be read: correct it, ComfyUI needs it too."
        ) from None
    first = [(name, place) for name, place, default in found if default]
    extra = [(name, place) for name, place, default in found if not default]
    return ComfyFolder(root, _grouped(first), _grouped(extra))


def _rows(root: Path, sections: object) -> Iterator[tuple[str, Path, bool]]:
    """Yield name, place and whether it is the default, of each line."""
    for section in cast("dict[str, dict[str, object] | None]", sections or {}).values():
        rows = dict(section or {})
        base = root / os.path.expandvars(os.path.expanduser(str(rows.pop("base_path", ""))))  # noqa: PTH111
        default = bool(rows.pop("is_default", False))
        for name, lines in rows.items():
            for line in filter(None, str(lines).split("\n")):
                yield present_name(name), Path(os.path.normpath(base / line)), default


def _grouped(pairs: list[tuple[str, Path]]) -> dict[str, tuple[Path, ...]]:
    names = dict.fromkeys(name for name, _ in pairs)
    return {name: tuple(place for other, place in pairs if other == name) for name in names}
