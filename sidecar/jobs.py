"""Jobs as values, and the protocols of the queue and the store.

The shape is a pull-lease: a worker asks for work, holds a lease whose attempt number is the fencing
token, extends it, and completes or fails it. The dispatcher in this process is just such a worker,
so another store (PostgreSQL) or a worker on another machine changes none of the code above.
Knows nothing of HTTP, of a particular store, or of ComfyUI.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from .values import JobError, JobState, Json, Progress, Webhook


class LeaseLost(Exception):
    """Another attempt owns the job: stop, interrupt the backend and write nothing more."""


class QueueFull(Exception):
    """The queue holds as many jobs as it may; `retry_after` is an honest guess in seconds.

    `own`: it is the tenant who has as many waiting as it may.
    """

    def __init__(self, retry_after: float, *, own: bool = False) -> None:
        super().__init__(f"The queue is full; try again in {retry_after:.0f} s.")
        self.retry_after = retry_after
        self.own = own


class IdempotencyConflict(Exception):
    """The idempotency key was used before, for another request."""


class WrongCursor(ValueError):
    """The cursor was not given by `list`."""


@dataclass(frozen=True)
class JobSpec:
    """What a client asked for; JSON-clean, media only as keys.

    `request_hash` stands for what is to be made (the picture by its content), `asked_hash` for the
    words it was asked with (the picture by its address): see `fingerprint`.
    """

    id: str
    payload: Json
    tenant: str = ""
    lane: str = "demo"  # what can run it: "demo" or "comfyui"
    route: str = ""  # which servers can run it: GenerateRequest.route
    priority: int = 0
    max_attempts: int = 10
    idempotency_key: str | None = None
    request_hash: str = ""
    asked_hash: str = ""
    webhook: Webhook | None = None
    request_id: str = ""  # of the request that asked for it
    trace: str = ""  # the traceparent of that request's span; blank where none is kept


@dataclass(frozen=True)
class Job:
    """A stored job. `version` goes up by one on every visible change.

    `attempt` only goes up: it fences off who lost the lease. `tries` are the attempts that count
    against `max_attempts`: those in a row that came no further than the ones before, but for those
    given back on a clean shutdown. `ledger` is what the backend must remember to recover after a
    kill (prompt id, step reached); times are seconds since the epoch.
    """

    spec: JobSpec
    state: JobState
    attempt: int = 0
    tries: int = 0
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
class LaneStats:
    """How many jobs of a lane are in each state, and since when the oldest of them waits."""

    counts: Mapping[JobState, int]
    oldest_queued_at: float | None = None


@dataclass(frozen=True)
class Lease:
    """The right to run one attempt of a job; `attempt` is the fencing token."""

    job: Job
    attempt: int


class JobQueue(Protocol):
    """Everything that changes a job. Nothing else writes `state`."""

    async def submit(
        self, spec: JobSpec, *, max_queued: int | None = None, max_own: int | None = None
    ) -> tuple[Job, bool]:
        """Record and enqueue as one atomic act; True if new.

        At most `max_queued` wait in the lane, and `max_own` of the tenant in all lanes.
        The same idempotency key (per tenant) and request hash give the existing job and False.
        Raises QueueFull, IdempotencyConflict.
        """
        ...

    async def lease(
        self,
        worker_id: str,
        lane: str,
        *,
        lease_s: float,
        wait_s: float,
        skip: Collection[str] = (),
    ) -> Lease | None:
        """Take the lane's next job; None after the wait.

        By priority; of one priority, that of the tenant with the fewest running jobs, then of the
        one who was served the longest ago; each tenant's first come first served. Jobs whose route
        is in `skip` are passed over: nobody has room for them now.
        """
        ...

    async def adopt(self, worker_id: str, lane: str, *, lease_s: float) -> list[Lease]:
        """Take over what this worker's killed forerunner ran, ledgers included; each is a try.

        Those to be canceled too, so that they are stopped wherever they run. `reap(worker_id)` ends
        what had too many tries.
        """
        ...

    async def extend(
        self,
        lease: Lease,
        *,
        lease_s: float,
        progress: Progress | None = None,
        ledger: Json | None = None,
        uncounted: bool = False,
    ) -> Job:
        """Keep the lease; store progress and ledger; tell of a cancel request. Raises LeaseLost.

        Progress never goes back, whatever attempt tells it, and is below 1 until `complete`.
        `uncounted`: this attempt went on with what an earlier one began, and is no try of its own.
        """
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

    async def overdue(
        self,
        lane: str,
        error: JobError,
        *,
        created_before: float | None = None,
        started_before: float | None = None,
    ) -> int:
        """Fail queued jobs that never started and were created before then, or started before then.

        Return how many.
        """
        ...


class JobStore(Protocol):
    """Everything that reads jobs, and forgets old ones; the same object as the queue on SQLite."""

    async def get(self, job_id: str) -> Job | None:
        """Return the job, or None."""
        ...

    async def find(self, tenant: str, idempotency_key: str) -> Job | None:
        """Return the tenant's job of that idempotency key, or None."""
        ...

    async def positions(self, job_ids: Collection[str] | None = None) -> Mapping[str, int]:
        """How many queued jobs would start before each of them (0: next), as things stand.

        Those that are not queued are left out; None: of all that are.
        """
        ...

    async def list(
        self,
        *,
        tenant: str,
        status: Collection[JobState] = (),
        limit: int = 20,
        cursor: str | None = None,
    ) -> tuple[list[Job], str | None]:
        """Return the tenant's newest jobs, and the cursor of the next older ones if there are any.

        Without `status`, of any state. Raises WrongCursor.
        """
        ...

    async def stats(self) -> Mapping[str, LaneStats]:
        """Count the jobs of each lane by state."""
        ...

    async def results_of(self, tenant: str) -> frozenset[str]:
        """Return the media keys of what the tenant's jobs made."""
        ...

    async def queued(self, lane: str) -> int:
        """Count the lane's waiting jobs."""
        ...

    async def expired(self, *, finished_before: float, limit: int) -> list[Job]:
        """Return jobs that ended before then, the oldest first; none with a webhook to be told."""
        ...

    async def forget(self, job_ids: Collection[str]) -> int:
        """Delete those of the jobs that have ended and told their webhook; return how many."""
        ...

    async def in_use(self, *, finished: bool = True) -> frozenset[str]:
        """Return the media keys that unfinished jobs need, and finished ones' results if asked for.

        Needed are pictures, and what the ledger names under "outputs".
        """
        ...
