"""Jobs as values, and the protocols of the queue and the store.

The shape is a pull-lease: a worker asks for work, holds a lease whose attempt number is the fencing
token, extends it, and completes or fails it. The dispatcher in this process is just such a worker,
so another store (PostgreSQL) or a worker on another machine changes none of the code above.
Knows nothing of HTTP, of a particular store, or of ComfyUI.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from .values import JobError, JobState, Json, Progress


class LeaseLost(Exception):
    """Another attempt owns the job: stop, interrupt the backend and write nothing more."""


class QueueFull(Exception):
    """The queue holds as many jobs as it may; `retry_after` is an honest guess in seconds."""

    def __init__(self, retry_after: float) -> None:
        super().__init__(f"The queue is full; try again in {retry_after:.0f} s.")
        self.retry_after = retry_after


class IdempotencyConflict(Exception):
    """The idempotency key was used before, for another request."""


@dataclass(frozen=True)
class JobSpec:
    """What a client asked for; JSON-clean, media only as keys."""

    id: str
    payload: Json
    tenant: str = ""
    lane: str = "demo"  # what can run it: "demo" or "comfyui"
    priority: int = 0
    max_attempts: int = 3
    idempotency_key: str | None = None
    request_hash: str = ""


@dataclass(frozen=True)
class Job:
    """A stored job. `version` goes up by one on every visible change.

    `ledger` is what the backend must remember to recover after a kill (prompt id, step reached);
    times are seconds since the epoch.
    """

    spec: JobSpec
    state: JobState
    attempt: int = 0
    version: int = 1
    cancel_requested: bool = False
    progress: Progress = field(default_factory=Progress)
    result: Json | None = None
    error: JobError | None = None
    ledger: Json = field(default_factory=dict[str, object])
    owner: str | None = None
    created_at: float = 0.0
    started_at: float | None = None
    finished_at: float | None = None

    @property
    def id(self) -> str:
        """The job's id."""
        return self.spec.id


@dataclass(frozen=True)
class Lease:
    """The right to run one attempt of a job; `attempt` is the fencing token."""

    job: Job
    attempt: int


class JobQueue(Protocol):
    """Everything that changes a job. Nothing else writes `state`."""

    async def submit(self, spec: JobSpec, *, max_queued: int | None = None) -> tuple[Job, bool]:
        """Record and enqueue as one atomic act; True if new.

        The same idempotency key (per tenant) and request hash give the existing job and False.
        Raises QueueFull, IdempotencyConflict.
        """
        ...

    async def lease(
        self, worker_id: str, lane: str, *, lease_s: float, wait_s: float
    ) -> Lease | None:
        """Take the lane's next job: by priority, then first come first served; None after wait."""
        ...

    async def extend(
        self,
        lease: Lease,
        *,
        lease_s: float,
        progress: Progress | None = None,
        ledger: Json | None = None,
    ) -> Job:
        """Keep the lease; store progress and ledger; tell of a cancel request. Raises LeaseLost."""
        ...

    async def complete(self, lease: Lease, result: Json) -> Job:
        """Store the result: succeeded. Repeating the same attempt is fine. Raises LeaseLost."""
        ...

    async def fail(self, lease: Lease, error: JobError, *, retry_in: float | None = None) -> Job:
        """Failed for good (`retry_in` None) or queued again later. Raises LeaseLost."""
        ...

    async def release(self, lease: Lease) -> Job:
        """Give the job back to the queue on a clean shutdown; the attempt does not count."""
        ...

    async def canceled(self, lease: Lease) -> Job:
        """Confirm that a running job was stopped because of a cancel request."""
        ...

    async def cancel(self, job_id: str) -> Job | None:
        """Queued: canceled at once. Running: a flag, seen at the next extend. Unknown: None."""
        ...

    async def reap(self, dead_worker: str | None = None) -> int:
        """Put expired leases, and all of a dead worker, back or end them; return how many."""
        ...


class JobStore(Protocol):
    """Everything that reads jobs; the same object as the queue on SQLite."""

    async def get(self, job_id: str) -> Job | None:
        """Return the job, or None."""
        ...

    async def position(self, job_id: str) -> int | None:
        """How many queued jobs would start before it (0: next); None if it is not queued."""
        ...
