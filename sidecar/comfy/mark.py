"""What is remembered of a prompt, so that a killed process's successor finds what became of it.

A small state machine; each state is stored before the step that it names is taken:

SUBMITTING -> ACCEPTED -> FOLLOWING -> FETCHING -> RECORDED
     `-> UNKNOWN -'

From every state there is a way back to SUBMITTING: the prompt was lost, and is posted again under
the same id. Pure; must not know where a mark is stored.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import Enum

from sidecar.values import Json


class Step(str, Enum):
    """How far a prompt is, as far as we know."""

    SUBMITTING = "submitting"  # the post is about to be sent, or was
    UNKNOWN = "unknown"  # the answer to the post was lost
    ACCEPTED = "accepted"  # ComfyUI has it in its queue
    FOLLOWING = "following"  # ComfyUI has begun it: from here on nobody can take it out of a queue
    FETCHING = "fetching"  # it is done; its files are being copied
    RECORDED = "recorded"  # its files are ours; only the job must be told


@dataclass(frozen=True)
class Mark:
    """One prompt. `number`: ComfyUI's answer to the post, which goes up by one for each.

    `witness`: the newest id in ComfyUI's history before the post: gone later, if ComfyUI was
    restarted. `at`: when the step was stored, in seconds since the epoch.
    """

    prompt_id: str
    step: Step = Step.SUBMITTING
    number: float | None = None
    witness: str = ""
    at: float = 0.0

    def stored(self) -> Json:
        """Return it as JSON."""
        return {**asdict(self), "step": self.step.value}


def read_mark(stored: Mapping[str, object]) -> Mark | None:
    """Return the mark that was stored; None if there is none. Older ones have an id only."""
    prompt_id = stored.get("prompt_id")
    if not prompt_id:
        return None
    number, at = stored.get("number"), stored.get("at")
    return Mark(
        str(prompt_id),
        Step(str(stored.get("step") or Step.SUBMITTING.value)),
        number if isinstance(number, (int, float)) else None,
        str(stored.get("witness") or ""),
        at if isinstance(at, (int, float)) else 0.0,
    )
