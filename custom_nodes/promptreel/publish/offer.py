"""A graph read as far as it goes without a person: what is sure, what is asked, what else there is.

The same rules as `promptreel pipelines add` has, which asks at the command line instead. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from .choices import Choices
from .findings import Findings, Question, find_all, find_output
from .knobs import SEEDS
from .knowledge import Knowledge, base_name
from .manifest_text import About, manifest
from .models import model_rows
from .pipelines import IMAGE, TEXT, Slot
from .requests import requested
from .stages import find_stages, video_outputs
from .tracing import Slots, is_number
from .values import Json
from .view import View
from .words import text_widgets

_ORDER = (IMAGE, TEXT, "negative", "seed", "seconds", "frames", "width", "height", "fps")
_NAMED = {"width": "width_names", "height": "height_names", "fps": "fps_names"}
_MOST_OTHERS = 24


@dataclass(frozen=True)
class Offer:
    """`output`: the open question which node's files are the video, or None. `chosen`: what the
    person decided, and is not asked again.
    """

    view: View
    found: Findings
    chosen: Choices
    models: tuple[Json, ...]
    output: Question | None = None

    @property
    def questions(self) -> tuple[Question, ...]:
        """What a person must answer before it is a pipeline."""
        return (*([self.output] if self.output else ()), *self.found.questions)

    def manifest(self, about: About) -> Json:
        """Return the pipeline.json of what was found; of use only where nothing is asked."""
        return manifest(self.view, self.found, self.models, about)

    def names(self) -> list[str]:
        """Return the parameters in the order in which people see them."""
        asked = [question.name for question in self.found.questions]
        known = dict.fromkeys([IMAGE, TEXT, *self.found.mapping, *asked])
        first = [name for name in _ORDER if name in known]
        return [*first, *(name for name in known if name not in _ORDER)]


def offered(view: View, choices: Choices, known: Sequence[Json] = ()) -> Offer:
    """Read a graph. `known`: rows of `models` properties. Raises ImportFailure.

    Where several nodes write a video, the first one's findings are shown until one is chosen.
    """
    output = find_output(view, choices.video)
    question = output if isinstance(output, Question) else None
    node = output.choices[0][0].node if isinstance(output, Question) else output
    found = find_all(view, node, _given(view, choices))
    freed = _without(found.mapping, choices)
    if freed:
        found = find_all(view, node, {**_given(view, choices), **freed})
    if choices.still is not None:
        found = replace(found, still=choices.still or None)
    return Offer(view, found, choices, tuple(model_rows(view, known)), question)


def _given(view: View, choices: Choices) -> dict[str, Slots]:
    """Return what is not looked for: what the Request nodes say, and what the person decided."""
    own = requested(view)
    return {**own, **_without(own, choices), **choices.mapping}


def _without(mapping: Mapping[str, Slots], choices: Choices) -> dict[str, Slots]:
    """Return those of a mapping that lose a place which the person gave to another parameter."""
    taken = {slot for slots in choices.mapping.values() for slot in slots}
    others = {name: slots for name, slots in mapping.items() if name not in choices.mapping}
    return {
        name: tuple(slot for slot in slots if slot not in taken)
        for name, slots in others.items()
        if taken.intersection(slots)
    }


def outputs(view: View) -> list[str]:
    """Return every node whose files could be the video."""
    return video_outputs(view)


def others(offer: Offer, name: str) -> list[Slots]:
    """Return the places that a parameter could have instead, each alone; the present one first."""
    question = next((one for one in offer.found.questions if one.name == name), None)
    if question is not None:
        return list(question.choices)
    own = offer.found.mapping.get(name, ())
    found = [own, *((slot,) for slot in _could(offer, name))]
    return list(dict.fromkeys(slots for slots in found if slots))[:_MOST_OTHERS]


def _could(offer: Offer, name: str) -> list[Slot]:
    view = offer.view
    if name in (TEXT, "negative"):
        return list(text_widgets(view, find_stages(view, offer.found.video)))
    if name == IMAGE:
        loaders = {node: view.knowledge.picture_input(view.kind(node)) for node in view.graph}
        return [Slot(node, own) for node, own in loaders.items() if own and _holds(view, node, own)]
    if name == "seed":
        return [slot for slot in _numbers(view) if base_name(slot.input) in SEEDS]
    if name in ("seconds", "frames"):
        names = (*view.knowledge.listed("length_names"), "seconds", "duration", "value")
    else:
        names = (*view.knowledge.listed(_NAMED[name]), "value") if name in _NAMED else ()
    return [slot for slot in _numbers(view) if base_name(slot.input) in names]


def _holds(view: View, node: str, name: str) -> bool:
    return isinstance(view.inputs(node).get(name), str)


def _numbers(view: View) -> list[Slot]:
    return [
        Slot(node, name)
        for node in view.graph
        for name, value in view.inputs(node).items()
        if is_number(value)
    ]


def view_of(graph: Mapping[str, Json], knowledge: Knowledge) -> View:
    """Return the graph as questions are put to it."""
    return View(graph, knowledge)
