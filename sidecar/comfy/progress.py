"""How far a prompt is, as its messages tell. Knows ComfyUI's messages, not jobs."""

from __future__ import annotations

from collections.abc import Mapping

from sidecar.values import Json, Progress

from .events import Event
from .shapes import a_list, an_object

# Nodes that take most of the time, by a part of their class; they weigh more than the others.
_HEAVY = ("Sampler", "PromptReelResult", "SaveVideo", "VAEDecode")
_WEIGHT = 10


class Progression:
    """Takes the events of one prompt in order; each may give a new Progress."""

    def __init__(self, graph: Mapping[str, Json]) -> None:
        self._names = {key: _name(node) for key, node in graph.items()}
        self._weights = {key: _weight(node) for key, node in graph.items()}
        self._total = sum(self._weights.values()) or 1
        self._done: set[str] = set()
        self._current: str | None = None

    def waiting(self, ahead: int) -> Progress:
        """Return the progress of a prompt that has `ahead` others before it."""
        place = f"after {ahead} other{'s' if ahead > 1 else ''}" if ahead else "it is next"
        return Progress(0.0, f"Waiting in ComfyUI's queue: {place}.")

    def take(self, event: Event) -> Progress | None:
        """Return how far it is now; None if the event says nothing of it."""
        data = event.data
        if event.type == "execution_cached":
            self._done |= {str(node) for node in a_list(data.get("nodes"))}
            return self._at(0.0)
        if event.type == "executing" and data.get("node") is not None:
            self._enter(str(data.get("display_node") or data["node"]))
            return self._at(0.0)
        if event.type == "progress" and data.get("max"):
            self._enter(str(data.get("node")))
            return self._step(data.get("value"), data["max"])
        if event.type == "progress_state":
            return self._states(data.get("nodes"))
        return None

    def _enter(self, node: str) -> None:
        if self._current not in (None, node):
            self._done.add(str(self._current))
        self._current = node
        self._done.discard(node)

    def _states(self, nodes: object) -> Progress | None:
        """Take the newer message that holds the state of every node begun."""
        latest = None
        for state in map(an_object, an_object(nodes).values()):
            node = str(state.get("display_node_id") or state.get("node_id"))
            if state.get("state") == "finished" and node != self._current:
                self._done.add(node)
            elif state.get("state") == "running" and state.get("max"):
                self._enter(node)
                latest = self._step(state.get("value"), state["max"])
        return latest

    def _step(self, value: object, most: object) -> Progress:
        step, steps = _whole(value), _whole(most)
        if steps <= 1:
            return self._at(0.0)
        return self._at(min(step / steps, 1.0), step, steps)

    def _at(self, part: float, step: int | None = None, steps: int | None = None) -> Progress:
        done = sum(self._weights.get(node, 0) for node in self._done)
        current = self._weights.get(self._current or "", 0) * part
        name = self._names.get(self._current or "")
        message = f"ComfyUI: {name}" if name else "ComfyUI has begun."
        return Progress((done + current) / self._total, message, self._current, step, steps)


def _whole(value: object) -> int:
    return int(value) if isinstance(value, (int, float)) else 0


def _name(node: Json) -> str:
    return str(node.get("_meta", {}).get("title") or node.get("class_type") or "")


def _weight(node: Json) -> int:
    heavy = any(part in str(node.get("class_type")) for part in _HEAVY)
    return _WEIGHT if heavy else 1
