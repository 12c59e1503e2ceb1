"""Whether it is still the ComfyUI process that took a prompt: queue and history die with it.

ComfyUI does not say when it was started. What tells: its prompts' numbers begin anew, and what was
in its history is gone. Knows the client and marks; must not know jobs.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from .client import ComfyClient, sent_at
from .mark import Mark
from .shapes import a_list, an_object

_LOOKED_AT = 100  # newest records of the history
_SKEW_S = 60.0  # that two machines' clocks may differ by


@dataclass(frozen=True)
class Seen:
    """A prompt that ComfyUI knows now: its id, its number, and when it was sent (epoch s)."""

    prompt_id: str
    number: float
    sent_at: float | None = None


async def witness(client: ComfyClient) -> str:
    """Return the newest id of the history; blank if it is empty."""
    return next(iter(await client.newest()), "")


async def restarted(client: ComfyClient, mark: Mark) -> bool:
    """Whether the ComfyUI that took the prompt lost its memory since."""
    queued = await client.queue()
    if mark.witness and await client.history(mark.witness) is not None:
        return False
    seen = [Seen(item.prompt_id, abs(item.number), item.sent_at) for item in queued]
    newest = await client.newest(_LOOKED_AT)
    return judged(mark, [*seen, *(_seen(key, record) for key, record in newest.items())])


def judged(mark: Mark, seen: Iterable[Seen]) -> bool:
    """Whether numbers show a restart since the prompt got its own. Pure.

    A number is given once in the life of a process: another prompt that has ours, or a lower one
    though it was sent later, came after a restart. A higher one comes after ours, and a lower one
    that was sent earlier is still the old process. Nothing of all that: taken for a restart, since
    posting again is the harmless mistake.
    """
    if mark.number is None:
        return True
    own = abs(mark.number)
    others = [one for one in seen if one.prompt_id != mark.prompt_id]
    lower = [one for one in others if one.number < own and one.sent_at is not None]
    if any(one.number == own for one in others):
        return True
    if any((one.sent_at or 0.0) > mark.at + _SKEW_S for one in lower):
        return True
    if any(one.number > own for one in others):
        return False
    return not any((one.sent_at or 0.0) < mark.at - _SKEW_S for one in lower)


def _seen(prompt_id: str, record: object) -> Seen:
    prompt = a_list(an_object(record).get("prompt"))
    number = prompt[0] if prompt and isinstance(prompt[0], (int, float)) else 0.0
    extra = an_object(prompt[3]) if len(prompt) > 3 else {}
    return Seen(prompt_id, abs(number), sent_at(extra))
