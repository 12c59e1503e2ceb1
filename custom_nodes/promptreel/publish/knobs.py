"""Where seed, length, size, rate and sampling settings go. Pure.

A setting is found only where it is one: widgets that must differ (two samplers that share the
steps between them) are left as they are.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from .knowledge import base_name
from .pipelines import Slot
from .stages import Stages
from .tracing import Slots, alike, numbers, worth
from .view import View

SEEDS = ("seed", "noise_seed")
_IN_SECONDS = 4.0  # frames in a second at least: a length that grows faster than that is in seconds
_LONGEST = 60.0  # seconds that are ever asked for
_ALL_STEPS = 1000  # an end_at_step beyond any number of steps


@dataclass(frozen=True)
class Length:
    """The length's widget. `seconds`: whether it counts seconds, not frames. `site`: the input
    that takes the frames. `most`: the seconds beyond which the graph makes no more frames.
    """

    slots: Slots
    seconds: bool
    site: Slot
    most: float | None = None


def find_seeds(view: View, stages: Stages) -> Slots:
    """Return every seed that noise is drawn from; not that of a sampler that adds none."""
    found = [
        slot
        for node in stages.nodes
        if view.inputs(node).get("add_noise") not in ("disable", False)
        for name in view.inputs(node)
        if base_name(name) in SEEDS
        for slot in numbers(view, node, name)
    ]
    return tuple(dict.fromkeys(found))


def find_rate(view: View, stages: Stages) -> Slots:
    """Return the video's rate, and the other rates of the graph that hold the same number."""
    names = view.knowledge.listed("fps_names")
    sites = [(node, name) for node in stages.nodes for name in names if name in view.inputs(node)]
    traced = [numbers(view, *site) for site in sites]
    if not traced or len(traced[0]) != 1:
        return ()
    main = traced[0][0]
    same = [one[0] for one in traced if len(one) == 1 and alike(view, (main, one[0]))]
    return tuple(dict.fromkeys(same))


def find_length(view: View, stages: Stages, rate: Slots) -> tuple[Length, ...]:
    """Return the readings of the length's place: one is sure, several are to be chosen from."""
    sites = _length_sites(view, stages)
    found: dict[Slot, Length] = {}
    for site in sites:
        own = [slot for slot in numbers(view, *_pair(site)) if slot not in rate]
        for slot in own:
            found.setdefault(slot, _length(view, site, slot))
    lengths = list(found.values())
    if len(lengths) > 1 and alike(view, tuple(found)):
        return (Length(tuple(found), lengths[0].seconds, lengths[0].site, lengths[0].most),)
    return tuple(lengths)


def find_size(view: View, stages: Stages) -> tuple[Slots, Slots]:
    """Return the widgets of width and height, each empty where there is not one number for it."""
    sites = _length_sites(view, stages)
    width = _one(numbers(view, site.node, "width") for site in sites)
    height = _one(numbers(view, site.node, "height") for site in sites)
    return (width, height) if width and height and width != height else ((), ())


def find_choosers(view: View, stages: Stages) -> dict[str, Slot]:
    """Return the widgets of nodes that choose a size by other words than width and height."""
    found: dict[str, list[Slot]] = {}
    for node in stages.nodes:
        for name in view.knowledge.row("choosers", view.kind(node)) or ():
            if not view.edge(node, name) and name in view.inputs(node):
                found.setdefault(name, []).append(Slot(node, name))
    return {name: slots[0] for name, slots in found.items() if len(slots) == 1}


def find_steps(view: View, stages: Stages) -> Slots:
    """Return the widget of the sampling steps, where it is one number and not shared out."""
    if any(_is_part(view, sampler) for sampler in stages.last):
        return ()
    return _same(view, (numbers(view, *site) for site in _behind(view, stages, "sigmas", "steps")))


def find_guidance(view: View, stages: Stages) -> Slots:
    """Return the widgets of the guidance (cfg), where all hold the same number."""
    return _same(view, (numbers(view, *site) for site in _behind(view, stages, "guider", "cfg")))


def _length_sites(view: View, stages: Stages) -> list[Slot]:
    """Return the inputs that say how many frames a latent has."""
    names = view.knowledge.listed("length_names")
    return [
        Slot(node, name)
        for node in stages.nodes
        for name in names
        if name in view.inputs(node) and {"width", "vae", "audio_vae"} & view.inputs(node).keys()
    ]


def _length(view: View, site: Slot, slot: Slot) -> Length:
    value = float(view.inputs(slot.node)[slot.input]) or 1.0
    frames = [worth(view, *_pair(site), {slot: seconds}) for seconds in (value, 2 * value)]
    if frames[0] is None or frames[0] < _IN_SECONDS * value or slot == site:
        return Length((slot,), False, site)
    return Length((slot,), True, site, _most(view, site, slot))


def _most(view: View, site: Slot, slot: Slot) -> float | None:
    """Return the seconds from which on a formula's frames stay the same, if they ever do."""
    ends = worth(view, *_pair(site), {slot: _LONGEST})
    halves = range(1, int(2 * _LONGEST))
    found = (n / 2 for n in halves if worth(view, *_pair(site), {slot: n / 2}) == ends)
    return next(found, None)


def _behind(view: View, stages: Stages, link: str, name: str) -> list[tuple[str, str]]:
    """Return the inputs called `name` of the samplers, or of what feeds their `link`."""
    found: list[tuple[str, str]] = []
    for sampler in stages.last:
        starts = [edge] if (edge := view.edge(sampler, link)) else []
        nodes = [sampler, *(edge.source for edge in view.walk(starts, lambda e: e.name != "model"))]
        found += [(node, name) for node in nodes if name in view.inputs(node)][:1]
    return found


def _is_part(view: View, sampler: str) -> bool:
    """Whether a sampler does only some of the steps."""
    inputs = view.inputs(sampler)
    if "end_at_step" not in inputs:
        return False
    last, steps = inputs["end_at_step"], inputs.get("steps")
    if not _is_int(last) or inputs.get("start_at_step") != 0:
        return True
    return last < (steps if _is_int(steps) else _ALL_STEPS)


def _is_int(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _one(traced: Iterable[Slots]) -> Slots:
    """Return the one widget that all agree on, or nothing."""
    found = dict.fromkeys(slot for slots in traced for slot in slots)
    return tuple(found) if len(found) == 1 else ()


def _same(view: View, traced: Iterable[Slots]) -> Slots:
    """Return the widgets if each place has one and all hold the same number."""
    each = list(traced)
    found = tuple(dict.fromkeys(slots[0] for slots in each if len(slots) == 1))
    return found if len(each) == sum(map(bool, each)) and alike(view, found) else ()


def _pair(slot: Slot) -> tuple[str, str]:
    return slot.node, slot.input
