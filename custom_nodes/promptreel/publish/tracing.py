"""From an input back to the widgets that its value comes from: numbers and texts. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeGuard

from .expressions import calculate
from .knowledge import base_name
from .pipelines import Slot
from .view import DEEPEST, Edge, View

Slots = tuple[Slot, ...]

_HUGE = 1e20


def is_number(value: object) -> TypeGuard[float]:
    """Whether a widget's value is a number that can be reckoned with."""
    return (
        isinstance(value, (int, float)) and not isinstance(value, bool) and -_HUGE < value < _HUGE
    )


def numbers(view: View, node: str, name: str) -> Slots:
    """Return the number widgets that an input's value comes from, through primitives and maths."""
    return _behind(view, Slot(node, name), _feeders, is_number)


def worth(view: View, node: str, name: str, given: Mapping[Slot, float]) -> float | None:
    """Return what an input will be with these values in the widgets; None if that can't be told."""
    return _Worth(view, given).of(node, name, DEEPEST)


class _Worth:
    """Each place is worked out once, however often it is used."""

    def __init__(self, view: View, given: Mapping[Slot, float]) -> None:
        self._view = view
        self._known: dict[Slot, float | None] = dict(given)

    def of(self, node: str, name: str, depth: int) -> float | None:
        place = Slot(node, name)
        if place not in self._known:
            self._known[place] = None  # a circle has no value
            self._known[place] = self._found(place, depth)
        return self._known[place]

    def _found(self, place: Slot, depth: int) -> float | None:
        edge = self._view.edge(place.node, place.input)
        if edge is None:
            own = self._view.place(place.node, place.input)
            held = self._known[own] if own in self._known and own != place else None
            value = self._view.inputs(own.node).get(own.input) if held is None else held
            return value if is_number(value) else None
        feeders = _feeders(self._view, edge) if depth else []
        inner = [(one.input, self.of(one.node, one.input, depth - 1)) for one in feeders]
        values = {base_name(name): value for name, value in inner if value is not None}
        formula = self._view.inputs(edge.source).get("expression")
        if isinstance(formula, str):
            return calculate(formula, values)
        return next(iter(values.values())) if len(values) == 1 else None


def _behind(
    view: View,
    start: Slot,
    feeders: Callable[[View, Edge], list[Slot]],
    is_wanted: Callable[[object], bool],
) -> Slots:
    """Return the widgets that hold what is wanted, each input looked at once."""
    found: dict[Slot, None] = {}
    todo, seen = [start], {start}
    for one in todo:  # grows while it is read
        edge = view.edge(one.node, one.input)
        place = view.place(one.node, one.input)
        if edge is None and is_wanted(view.inputs(place.node).get(place.input)):
            found[place] = None
        new = [slot for slot in feeders(view, edge) if slot not in seen] if edge else []
        todo += new
        seen.update(new)
    return tuple(found)


def _feeders(view: View, edge: Edge) -> list[Slot]:
    """Return the inputs behind a link that carries a number."""
    inputs = view.inputs(edge.source)
    if isinstance(inputs.get("expression"), str):
        names = [one for one in inputs if one.startswith("values.") or len(one) == 1]
        return [Slot(edge.source, one) for one in names]
    if "value" in inputs:
        return [Slot(edge.source, "value")]
    if view.kind(edge.source) in view.knowledge.listed("size_of_picture"):
        return _size_behind(view, edge)
    wanted = _same_meaning(view, edge.name)
    return [Slot(edge.source, one) for one in inputs if one in wanted][:1]


def _same_meaning(view: View, name: str) -> list[str]:
    """Return the names by which nodes call what `name` is, itself first."""
    for key in ("width_names", "height_names", "length_names", "fps_names"):
        names = view.knowledge.listed(key)
        if name in names:
            return [name, *names]
    return [name]


def _size_behind(view: View, edge: Edge) -> list[Slot]:
    """Return the width (output 0) or height (output 1) input of the node that sized a picture."""
    if edge.slot not in (0, 1):
        return []
    names = view.knowledge.listed("width_names" if edge.slot == 0 else "height_names")
    for inner in view.walk(view.edges(edge.source)):
        for name in names:
            if name in view.inputs(inner.source):
                return [Slot(inner.source, name)]
    return []


def texts(view: View, node: str, name: str) -> Slots:
    """Return the text widgets that an input's value comes from, through string nodes."""
    return said(
        view, _behind(view, Slot(node, name), _strings, lambda value: isinstance(value, str))
    )


def _strings(view: View, edge: Edge) -> list[Slot]:
    """Return the inputs whose texts a string node (or one that improves prompts) works on."""
    inputs = view.inputs(edge.source)
    known = [name for name in view.knowledge.listed("string_names") if name in inputs]
    others = [name for name, value in inputs.items() if isinstance(value, str)]
    return [Slot(edge.source, name) for name in known or (others if len(others) == 1 else [])]


def said(view: View, slots: Slots) -> Slots:
    """Return the widgets that hold a text, or all of them if none does."""
    return tuple(slot for slot in slots if str(view.value(slot)).strip()) or slots


def alike(view: View, slots: Slots) -> bool:
    """Whether the widgets hold one and the same value."""
    values: list[Any] = [view.value(slot) for slot in slots]
    return bool(values) and all(value == values[0] for value in values)
