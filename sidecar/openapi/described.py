"""The document, written when it is first asked for, and anew when the pipelines change.

What writes it is slow to load, so nothing of it is imported before. Must not know requests.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from sidecar.pipelines import Pipeline
from sidecar.settings import Settings
from sidecar.values import Json


class Described:
    """Keeps the document of one service."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._of: dict[str, Pipeline] | None = None
        self._document: Json = {}
        self._writing = asyncio.Lock()

    async def document(
        self, pipelines: Mapping[str, Pipeline], version: str, base: str, *, locked: bool
    ) -> Json:
        """Return the document. `base`: where the service is reached; `locked`: it asks for keys."""
        async with self._writing:
            if self._of is None or self._of != dict(pipelines):
                self._of = dict(pipelines)
                self._document = await asyncio.to_thread(
                    _written, self._settings, self._of, version
                )
        security: list[Json] = [{"key": []}] if locked else []
        return {**self._document, "servers": [{"url": base}], "security": security}


def _written(settings: Settings, pipelines: Mapping[str, Pipeline], version: str) -> Json:
    from .document import document  # noqa: PLC0415  slow to load, and rarely asked for

    return document(settings, pipelines, version)
