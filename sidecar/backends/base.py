"""The protocol of a backend, and what the dispatcher hands to it."""

from __future__ import annotations

from typing import Protocol

from sidecar.jobs import Job
from sidecar.values import GenerateRequest, JobError, Json, Outputs, Progress


class BackendError(Exception):
    """The job can't be done: carries the JobError to store. `retry_in` asks for another attempt."""

    def __init__(self, error: JobError, *, retry_in: float | None = None) -> None:
        super().__init__(error.error)
        self.error = error
        self.retry_in = retry_in


class RunContext(Protocol):
    """What a running job may do to the outside: report, and remember."""

    @property
    def job(self) -> Job:
        """The job as it was leased; `job.ledger` holds what an earlier run remembered."""
        ...

    @property
    def request(self) -> GenerateRequest:
        """What is asked for."""
        ...

    @property
    def canceled(self) -> bool:
        """Whether the client wants it no more: when stopped, stop what runs elsewhere too.

        False when only this service ends: the next run finds by the ledger what goes on elsewhere.
        """
        ...

    @property
    def server(self) -> str:
        """The ComfyUI that was chosen for this attempt; blank where none is needed."""
        ...

    def progress(self, progress: Progress) -> None:
        """Report; coalesced, never goes back. Cheap enough to call on every step."""
        ...

    def preview(self, data: bytes, mime: str) -> None:
        """Show a small picture of what is being made; cheap, dropped if they come too fast."""
        ...

    async def remember(self, ledger: Json, *, uncounted: bool = False) -> None:
        """Store the ledger durably before the next step. Raises LeaseLost.

        `uncounted`: this attempt goes on with what an earlier one began, and is no try of its own.
        """
        ...

    def output_key(self, name: str) -> str:
        """Return the media key for an output of this attempt ("video.mp4", "image.png")."""
        ...


class Backend(Protocol):
    """One way to run jobs. Cancelling the task that runs `run` must stop the work for real."""

    async def run(self, context: RunContext) -> Outputs:
        """Make the files. Raises BackendError; leaves no stray file."""
        ...
