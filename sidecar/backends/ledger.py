"""What a job remembers of its run on ComfyUI, as the JSON of `Job.ledger`.

The step that was reached is the mark's (sidecar/comfy/mark.py), until the files are ours. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace

from sidecar.comfy.mark import Mark, Step, read_mark
from sidecar.comfy.shapes import a_list, an_object
from sidecar.values import Json, Outputs

_MOST_LEFT = 8  # prompts on servers that were given up


@dataclass(frozen=True)
class Ledger:
    """`mark`: the prompt on `server`. `again`: what makes ComfyUI's cache miss; blank: nothing.

    `answer` and `record`: what ComfyUI said of the finished prompt (from FETCHING on). `outputs`:
    the files in our store (RECORDED). `left`: (server, prompt id) of prompts on servers that were
    given up; they are to be stopped if those come back.
    """

    server: str = ""
    mark: Mark | None = None
    again: str = ""
    answer: Json | None = None
    record: Json | None = None
    outputs: Outputs | None = None
    left: tuple[tuple[str, str], ...] = ()

    def stored(self) -> Json:
        """Return it as JSON."""
        mark = self.mark.stored() if self.mark is not None else {}
        return {
            "server": self.server,
            **mark,
            "again": self.again,
            "answer": self.answer,
            "record": self.record,
            "outputs": None if self.outputs is None else asdict(self.outputs),
            "left": [list(pair) for pair in self.left],
        }

    def moved(self, server: str) -> Ledger:
        """Return the ledger of a job that goes on at `server`, which may be where it was."""
        if self.server == server or not self.server:
            return replace(self, server=server)
        left = self.left
        if self.mark is not None:
            left = (*left, (self.server, self.mark.prompt_id))[-_MOST_LEFT:]
        return Ledger(server, left=tuple(pair for pair in left if pair[0] != server))


def read_ledger(stored: Mapping[str, object]) -> Ledger:
    """Return what was stored; that of an earlier version holds less."""
    outputs = an_object(stored.get("outputs"))
    pairs = (a_list(pair) for pair in a_list(stored.get("left")))
    return Ledger(
        str(stored.get("server") or ""),
        read_mark(stored),
        str(stored.get("again") or ""),
        an_object(stored.get("answer")) or None,
        an_object(stored.get("record")) or None,
        Outputs(**outputs) if outputs else None,
        tuple((str(pair[0]), str(pair[1])) for pair in pairs if len(pair) == 2),
    )


def fetching(ledger: Ledger, answer: Json, record: Json) -> Ledger:
    """Return the ledger of a prompt that is done: without its graph, which is large."""
    kept = {"outputs": record.get("outputs"), "status": record.get("status")}
    return replace(ledger, mark=_at(ledger, Step.FETCHING), answer=answer, record=kept)


def recorded(ledger: Ledger, outputs: Outputs) -> Ledger:
    """Return the ledger of a job whose files are in our store."""
    return replace(ledger, mark=_at(ledger, Step.RECORDED), record=None, outputs=outputs)


def _at(ledger: Ledger, step: Step) -> Mark | None:
    return None if ledger.mark is None else replace(ledger.mark, step=step)
