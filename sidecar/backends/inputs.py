"""How a picture gets to ComfyUI: written into its input folder where that is shared, else sent.

That a folder is shared is never believed, only proved: what was written must come back through
`/view`. Knows the media store, files and the client. Must not know jobs or pipelines.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import shutil
import time
from collections import OrderedDict
from collections.abc import Collection, Iterable, Sequence
from itertools import zip_longest
from pathlib import Path
from urllib.parse import urlsplit

from sidecar.comfy.client import ComfyClient, FileRef
from sidecar.comfy.errors import ComfyError, NotFound, TooLarge
from sidecar.comfy.shapes import a_list, an_object
from sidecar.media import MediaStore, is_key

log = logging.getLogger(__name__)

SUBFOLDER = "promptreel"
_FOREIGN_S = 86400.0  # after which a picture that may be another service's goes all the same
_REMEMBERED = 4096  # pictures of which it is known how ComfyUI names them


class Inputs:
    """Places pictures for one ComfyUI. `folder`: the operator's word for where its inputs are.

    "" lets a ComfyUI on this machine tell by its command line; "-" never writes, always sends.
    """

    def __init__(self, client: ComfyClient, media: MediaStore, folder: str = "") -> None:
        self._client = client
        self._media = media
        self._told = folder
        self._placed: OrderedDict[str, FileRef] = OrderedDict()
        self._used_at: dict[str, float] = {}
        self._changing = asyncio.Lock()  # of the folder: writing, or clearing

    async def place(self, key: str) -> str:
        """Return the widget value that means the stored picture `key`.

        What this process has placed is taken to be there still: where a run fails, call `check`.
        Raises KeyError for a picture that is not stored, and ComfyError.
        """
        self._used_at[key] = time.monotonic()
        ref = self._placed.get(key)
        if ref is None:
            async with self._changing, self._media.local(key) as path:
                ref = await self._write(path, key) or await self._send(path, key)
            self._remember(key, ref)
        return ref.annotated

    async def clear(self, needed: Collection[str], older_s: float) -> int:
        """Delete pictures that were placed longer ago and are not needed; return how many.

        Only in a shared folder: ComfyUI deletes nothing that was sent. Another service may share it
        too: what is not known to be ours stays for a day.
        """
        try:
            folder = await self._folder()
        except ComfyError:
            return 0
        if folder is None:
            return 0
        async with self._changing:
            found = await asyncio.to_thread(_placed_files, folder / SUBFOLDER)
            gone = [
                path for path, age in found if await self._is_done_with(path, age, needed, older_s)
            ]
            for path in gone:
                self._placed.pop(path.name, None)
                self._used_at.pop(path.name, None)
            await asyncio.to_thread(_unlink_all, gone)
        return len(gone)

    async def _is_done_with(
        self, path: Path, age_s: float, needed: Collection[str], older_s: float
    ) -> bool:
        key = path.name
        unused_s = min(age_s, time.monotonic() - self._used_at.get(key, float("-inf")))
        if not is_key(key):  # a copy that a kill cut short
            return age_s > _FOREIGN_S
        if key in needed or unused_s < older_s:
            return False
        ours = key in self._placed or await self._media.stat(key) is not None
        return ours or age_s > _FOREIGN_S

    async def check(self, key: str) -> bool:
        """Whether a picture that was placed is there still; if not, `place` brings it again.

        True as well where that can't be told.
        """
        ref, info = self._placed.get(key), await self._media.stat(key)
        try:
            there = ref is None or info is None or await self._client.size(ref) == info.size
        except ComfyError:
            return True
        if not there:
            del self._placed[key]
        return there

    def _remember(self, key: str, ref: FileRef) -> None:
        self._placed[key] = ref
        self._placed.move_to_end(key)
        if len(self._placed) > _REMEMBERED:
            oldest, _ = self._placed.popitem(last=False)
            self._used_at.pop(oldest, None)

    async def _write(self, path: Path, key: str) -> FileRef | None:
        """Write the picture into the shared folder; None if there is none that is proved."""
        folder = await self._folder()
        if folder is None:
            return None
        ref = FileRef(key, SUBFOLDER, "input")
        try:
            await asyncio.to_thread(_copy, path, folder / SUBFOLDER, key)
            if await self._comes_back(ref, path):
                return ref
        except (OSError, ComfyError) as error:
            log.debug("the input folder can't be used: %s", error)
        log.warning("ComfyUI at %s does not read the input folder; sending", self._client.url)
        await asyncio.to_thread(_remove, folder / SUBFOLDER / key)
        return None

    async def _comes_back(self, ref: FileRef, path: Path) -> bool:
        data = await asyncio.to_thread(path.read_bytes)
        try:
            chunks = [chunk async for chunk in self._client.view(ref, limit=len(data))]
        except (NotFound, TooLarge):
            return False
        return b"".join(chunks) == data

    async def _send(self, path: Path, key: str) -> FileRef:
        data = await asyncio.to_thread(path.read_bytes)
        return await self._client.upload_image(data, name=key, subfolder=SUBFOLDER)

    async def _folder(self) -> Path | None:
        """Return where ComfyUI's inputs should be: as told, or as its command line says."""
        if self._told == "-":
            return None
        if self._told:
            found = _home_meant(self._told)
        elif urlsplit(self._client.url).hostname in ("127.0.0.1", "localhost", "::1"):
            stats = await self._client.system_stats()
            argv = [str(word) for word in a_list(an_object(stats.get("system")).get("argv"))]
            guessed = input_folder(argv)
            if guessed is None:
                return None
            found = guessed
        else:
            return None
        return found if await asyncio.to_thread(found.is_dir) else None


def _home_meant(folder: str) -> Path:
    return Path(folder).expanduser()


def input_folder(argv: Sequence[str]) -> Path | None:
    """Return the input folder that a ComfyUI command line means; None if that can't be told.

    A relative path is relative to a folder that we don't know.
    """
    base = _option(argv, "--base-directory")
    given = _option(argv, "--input-directory")
    if given is None and base is None and argv:
        base = str(Path(argv[0]).parent) if Path(argv[0]).is_absolute() else None
    if given is None and base is None:
        return None
    found = Path(given) if given is not None else Path(str(base)) / "input"
    return found if found.is_absolute() else None


def _option(argv: Sequence[str], name: str) -> str | None:
    """Return the value of `name VALUE` or `name=VALUE`; the last one counts."""
    value = None
    for word, following in zip_longest(argv, argv[1:]):
        if word == name:
            value = following
        elif word.startswith(f"{name}="):
            value = word.partition("=")[2]
    return value


def _copy(source: Path, folder: Path, name: str) -> None:
    """Copy so that the file is there whole or not at all."""
    folder.mkdir(exist_ok=True)
    part = folder / f".{secrets.token_hex(8)}.part"
    try:
        shutil.copyfile(source, part)
        part.replace(folder / name)
    finally:
        part.unlink(missing_ok=True)


def _placed_files(folder: Path) -> list[tuple[Path, float]]:
    """Return the files of our folder there, each with its age in seconds."""
    now = time.time()
    try:
        return [(path, now - path.stat().st_mtime) for path in folder.iterdir() if path.is_file()]
    except OSError:  # there is none, or one went meanwhile: the next time
        return []


def _unlink_all(paths: Iterable[Path]) -> None:
    for path in paths:
        _remove(path)


def _remove(path: Path) -> None:
    """Take back what was written, and the folder if that leaves it empty."""
    try:
        path.unlink(missing_ok=True)
        path.parent.rmdir()
    except OSError:
        return
