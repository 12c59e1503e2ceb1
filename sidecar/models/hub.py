"""The Hugging Face Hub: which file an address means, what the Hub tells of it, and its bytes.

The only file that knows the library huggingface_hub, which is imported when it is needed. Of the
library its plain HTTP download is used, because that one goes on where an earlier run of ours broke
off (`hf_hub_download` of 2.x begins anew). HF_TOKEN, HF_ENDPOINT and the proxies of the environment
are the library's. Must not know pipelines or where models lie.
"""

from __future__ import annotations

import errno
import importlib
import logging
import re
import sys
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any, BinaryIO
from urllib.parse import unquote, urlsplit

from .errors import ModelsError, Unreachable

INSTALL = f"{sys.executable} -m pip install huggingface_hub"  # this Python's own pip
_HOSTS = ("huggingface.co", "www.huggingface.co", "hf.co")
_PATH = re.compile(r"/([\w.-]+/[\w.-]+)/(?:resolve|blob)/([^/]+)/(.+)")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_ANSWER_S = 20.0


@dataclass(frozen=True)
class HubFile:
    """A file of a repository of models."""

    repo: str
    revision: str
    path: str


@dataclass(frozen=True)
class Remote:
    """What the Hub tells of a file. `sha256` is blank for small files outside its LFS storage."""

    file: HubFile
    url: str
    size: int
    sha256: str


def hub_file(source: str) -> HubFile | None:
    """Return the file that an address means; None if it is not on the Hub."""
    parts = urlsplit(source)
    found = _PATH.fullmatch(parts.path)
    if parts.hostname not in _HOSTS or found is None or found[1].startswith("datasets/"):
        return None
    repo, revision, path = found.groups()
    return HubFile(repo, unquote(revision), unquote(path))


class Hub:
    """The Hub, or the one at `endpoint`. What is asked raises ModelsError without the library."""

    def __init__(self, endpoint: str | None = None) -> None:
        self._endpoint = endpoint

    @cached_property
    def _library(self) -> Any:  # noqa: ANN401  the library's types are partly unknown
        try:
            for name in ("constants", "errors", "file_download", "utils"):
                importlib.import_module(f"huggingface_hub.{name}")
            return importlib.import_module("huggingface_hub")
        except ModuleNotFoundError:
            raise ModelsError(f"Downloading needs the library huggingface_hub: {INSTALL}") from None
        except ValueError as error:  # it reads HF_ENDPOINT at import
            raise _missettings(error) from None

    def look(self, file: HubFile) -> Remote:
        """Ask for size and checksum. Raises ModelsError."""
        with self._failures(file):
            url: str = self._library.hf_hub_url(
                file.repo, file.path, revision=file.revision, endpoint=self._endpoint
            )
            told = self._library.get_hf_file_metadata(
                url, timeout=_ANSWER_S, headers=self._headers()
            )
        if told.size is None:
            raise ModelsError(f"The Hub does not tell the size of {file.path}: try again later.")
        digest = told.etag or ""
        return Remote(file, url, told.size, digest if _SHA256.fullmatch(digest) else "")

    def fetch(self, remote: Remote, part: BinaryIO, begun: int) -> None:
        """Append the rest of a file of which `begun` bytes are in `part`. Raises ModelsError.

        Above the library's limit for plain HTTP (50 GB, the most that the Hub's servers send in
        one answer) the rest comes in pieces.
        """
        with self._failures(remote.file):
            most: int = self._library.constants.MAX_HTTP_DOWNLOAD_SIZE
            if remote.size <= most:
                self._get(remote, part, resume_size=begun, expected_size=remote.size)
                return
            for first in range(begun, remote.size, most):
                last = min(first + most, remote.size) - 1
                piece = {"Range": f"bytes={first}-{last}"}
                self._get(remote, part, piece, expected_size=last + 1 - first)

    def _get(
        self, remote: Remote, part: BinaryIO, more: Mapping[str, str] | None = None, **sizes: int
    ) -> None:
        self._library.file_download.http_get(
            remote.url,
            part,
            headers={**self._headers(), **(more or {})},
            displayed_filename=remote.file.path.rpartition("/")[2],
            **sizes,
        )

    def _headers(self) -> dict[str, str]:
        headers: dict[str, str] = self._library.utils.build_hf_headers(library_name="promptreel")
        return {**headers, "Accept-Encoding": "identity"}

    @contextmanager
    def _failures(self, file: HubFile) -> Generator[None]:
        """Turn what the library raises into one sentence, and keep it from logging its own."""
        errors = self._library.errors
        try:
            with _quiet():
                yield
        except errors.HfHubHTTPError as error:
            raise _refused(file, error.response.status_code) from None
        except errors.OfflineModeIsEnabled:
            raise Unreachable("HF_HUB_OFFLINE is set: unset it to download.") from None
        except errors.HTTPError as error:
            raise _unreachable(error) from None
        except OSError as error:
            raise _unwritten(file, error) from None
        except (ValueError, ImportError) as error:
            raise _missettings(error) from None


@contextmanager
def _quiet() -> Generator[None]:
    """Silence the library's logger, which tells each retry; it is as it was afterwards."""
    logger = logging.getLogger("huggingface_hub")
    level = logger.level
    logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        logger.setLevel(level)


def _missettings(error: Exception) -> ModelsError:
    return ModelsError(
        f"The Hub can't be asked with these settings ({error}): look at HF_TOKEN, HF_ENDPOINT and "
        "the proxies of the environment."
    )


def _unwritten(file: HubFile, error: OSError) -> ModelsError:
    if error.errno == errno.ENOSPC:
        return ModelsError("The disk is full: make room, then pull again to go on.")
    if error.errno is not None:
        return ModelsError(f"{file.path} can't be written: {error.strerror}.")
    return _unreachable(error)  # the library's own: fewer bytes came than told


def _refused(file: HubFile, status: int) -> ModelsError:
    page = f"https://huggingface.co/{file.repo}"
    if status in (401, 403):
        return ModelsError(
            f"The Hub refuses {file.repo} ({status}): it needs a licence accepted, or is no more. "
            f"Open {page}, accept its terms, and set HF_TOKEN to a token of that account."
        )
    if status == 404:
        return ModelsError(
            f"The Hub has no {file.path} in {file.repo} (404): see {page} for its present name."
        )
    if status == 429:
        return Unreachable("The Hub asks to slow down (429): pull again in some minutes to go on.")
    return Unreachable(f"The Hub failed ({status}) at {file.path}: pull again later to go on.")


def _unreachable(error: Exception) -> Unreachable:
    return Unreachable(
        f"The Hub can't be reached ({type(error).__name__}): is this machine online? What has "
        "arrived is kept; pull again to go on."
    )
