"""The sidecar's named values: frozen, plain, JSON-clean where they are stored.

Knows nothing of HTTP, SQLite or ComfyUI.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

Json = dict[str, Any]


class JobState(str, Enum):
    """The contract's names. QUEUED and RUNNING are unfinished, the others terminal."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELED = "canceled"

    @property
    def terminal(self) -> bool:
        """Whether a job in this state will never change again."""
        return self not in (JobState.QUEUED, JobState.RUNNING)


@dataclass(frozen=True)
class Progress:
    """How far a job is: `value` in 0..1 never goes back; 1 means stored."""

    value: float = 0.0
    message: str = ""
    node: str | None = None
    step: int | None = None
    steps: int | None = None


@dataclass(frozen=True)
class JobError:
    """Why a job failed: a stable snake_case `code`, one sentence, 400 or 500."""

    code: str
    error: str
    details: str = ""
    status: int = 500


@dataclass(frozen=True)
class Outputs:
    """What a backend made. `image` and `video` are media keys, never paths."""

    image: str
    video: str
    workflow_response: Json | None = None
    demo: bool = False


@dataclass(frozen=True)
class Webhook:
    """Whom to tell that a job is over: the address, its host, and what links begin with."""

    url: str
    host: str
    base: str


@dataclass(frozen=True)
class GenerateRequest:
    """A checked request: what `Job.payload` holds.

    `image` is a media key; `server` the ComfyUI to use, blank for any of the pool, None for the
    built-in engine;
    `params` the checked values of the pipeline's parameters (`text` included). `kept`: of one
    that was published on a ComfyUI, the pipeline itself as it was then, with its digest.
    """

    image: str
    text: str
    pipeline: str
    server: str | None = None
    params: Mapping[str, Any] = field(default_factory=dict[str, Any])
    kept: Json | None = None

    @property
    def route(self) -> str:
        """What tells who could run it: the server asked for, and the pipeline."""
        return f"{self.server or ''} {keyed(self.pipeline, self.kept)}"


def keyed(name: str, kept: Mapping[str, Any] | None) -> str:
    """Return what tells a pipeline from others of its name: "name", or "name@digest" of one that
    was published on a ComfyUI.
    """
    return f"{name}@{kept.get('digest')}" if kept else name
