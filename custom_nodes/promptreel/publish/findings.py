"""What was found in a graph, joined: each parameter's widgets, and what must be chosen. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from .errors import ImportFailure, Lacking
from .knobs import (
    Length,
    find_choosers,
    find_guidance,
    find_length,
    find_rate,
    find_seeds,
    find_size,
    find_steps,
)
from .picture import find_picture, find_still
from .pipelines import Slot
from .requests import idle
from .stages import Stages, find_stages, video_outputs
from .tracing import Slots, numbers
from .view import View
from .words import find_negative, find_text, text_widgets

NONE: Slots = ()  # "goes nowhere", as a choice


@dataclass(frozen=True)
class Question:
    """A parameter (or "video") that may go to several places; the last choice may be NONE."""

    name: str
    asked: str
    choices: tuple[Slots, ...]


@dataclass(frozen=True)
class Findings:
    """`mapping`: parameter to widgets; text is always there, perhaps with none. `length`: what the
    mapped length counts. `notes`: sentences for people.
    """

    video: str
    still: str | None = None
    mapping: Mapping[str, Slots] = field(default_factory=dict[str, Slots])
    length: Length | None = None
    questions: tuple[Question, ...] = ()
    notes: tuple[str, ...] = ()


def find_output(view: View, chosen: str | None) -> str | Question:
    """Return the node whose files are the video, or the question which. Raises ImportFailure."""
    if chosen:
        return chosen
    outputs = video_outputs(view)
    if not outputs:
        raise _no_video(view)
    if len(outputs) == 1:
        return outputs[0]
    choices = tuple((Slot(node, ""),) for node in outputs)
    return Question("video", "Several nodes write a video: which one is the answer?", choices)


def find_all(view: View, output: str, given: Mapping[str, Slots]) -> Findings:
    """Return what the graph has for each parameter; what is `given` is not looked for.

    Raises ImportFailure if nothing takes a picture.
    """
    stages = find_stages(view, output)
    questions: list[Question] = []
    mapping: dict[str, Slots] = {}
    mapping["image"] = _picture(view, stages, given, questions)
    mapping["text"] = _text(view, stages, given, questions)
    mapping["negative"] = _negative(view, stages, given, mapping["text"], questions)
    mapping["seed"] = find_seeds(view, stages)
    rate = given.get("fps", find_rate(view, stages))
    length = _length(view, stages, rate, given, questions)
    if length:
        mapping["seconds" if length.seconds else "frames"] = length.slots
    mapping["width"], mapping["height"] = find_size(view, stages)
    mapping.update({name: (slot,) for name, slot in find_choosers(view, stages).items()})
    mapping["fps"] = () if length and _goes_its_own_way(view, length, rate) else rate
    mapping["steps"], mapping["cfg"] = find_steps(view, stages), find_guidance(view, stages)
    unused = {slot for slots in idle(view).values() for slot in slots}
    mapping = {name: tuple(s for s in mapping[name] if s not in unused) for name in mapping}
    mapping.update(given)
    decided = {"text", *given}  # what somebody sends nowhere is to be remembered
    kept = {name: slots for name, slots in mapping.items() if slots or name in decided}
    found = Findings(output, find_still(view, stages), kept, length, tuple(questions))
    return replace(found, notes=tuple(_notes(view, found, stages)))


def _picture(
    view: View, stages: Stages, given: Mapping[str, Slots], questions: list[Question]
) -> Slots:
    if "image" in given:
        return given["image"]
    readings = find_picture(view, stages)
    if not view.edges(stages.output):
        raise ImportFailure(
            f"Node {stages.output!r} ({view.title(stages.output)}) saves nothing: no link leads "
            "into it."
        )
    if not readings:
        raise Lacking(
            "Nothing in this graph takes a picture: add a LoadImage node (or switch the bypassed "
            "one on)",
            "name the widget by --set image=NODE.INPUT",
        )
    return _settled("image", "Which picture does the video start from?", readings, questions)


def _text(
    view: View, stages: Stages, given: Mapping[str, Slots], questions: list[Question]
) -> Slots:
    if "text" in given:
        return given["text"]
    readings = find_text(view, stages)
    if not readings:
        widgets = text_widgets(view, stages)
        readings = (*((slot,) for slot in widgets), NONE)
    return _settled("text", "Where does the prompt go?", readings, questions)


def _negative(
    view: View,
    stages: Stages,
    given: Mapping[str, Slots],
    text: Slots,
    questions: list[Question],
) -> Slots:
    if "negative" in given:
        return given["negative"]
    readings = find_negative(view, stages, text)
    if len(readings) > 1:
        readings = (*readings, NONE)
    return _settled("negative", "Where does the negative prompt go?", readings, questions)


def _length(
    view: View,
    stages: Stages,
    rate: Slots,
    given: Mapping[str, Slots],
    questions: list[Question],
) -> Length | None:
    if "seconds" in given or "frames" in given:
        return None
    readings = find_length(view, stages, rate)
    if len(readings) > 1:
        choices = (*(one.slots for one in readings), NONE)
        questions.append(Question("frames", "Which widget is the video's length?", choices))
        return None
    return readings[0] if readings else None


def _settled(
    name: str, asked: str, readings: tuple[Slots, ...], questions: list[Question]
) -> Slots:
    """Return the only reading; put the question if there are several."""
    if len(readings) > 1:
        questions.append(Question(name, asked, readings))
        return ()
    return readings[0] if readings else ()


def _goes_its_own_way(view: View, length: Length, rate: Slots) -> bool:
    """Whether seconds are turned into frames by a rate that is not the video's widget: changing
    that widget would make the seconds untrue.
    """
    behind = numbers(view, length.site.node, length.site.input)
    return length.seconds and not set(rate) & set(behind)


def _no_video(view: View) -> Lacking:
    stills = view.knowledge.listed("still_outputs")
    if any(view.kind(node) in stills for node in view.graph):
        return Lacking(
            "This graph saves pictures, and no video: end it with CreateVideo and SaveVideo",
            "name the node by --set video=NODE",
        )
    return Lacking(
        "Nothing in this graph saves a video: add a SaveVideo node", "give --set video=NODE"
    )


def _notes(view: View, found: Findings, stages: Stages) -> list[str]:
    """Return what a person should know: files that stay as they are, classes that are unknown."""
    taken = {slot for slots in found.mapping.values() for slot in slots}
    notes = [
        f"{view.value(slot)} ({slot.node}.{slot.input}) stays as it is: it must be in ComfyUI's "
        "input folder."
        for slot in _files(view, stages)
        if slot not in taken and isinstance(view.value(slot), str)
    ]
    unused = [name for name in idle(view) if not found.mapping.get(name)]
    if unused:
        notes.append(f"Nothing comes of the Request's {', '.join(unused)}: no link leads from it.")
    unknown = sorted(
        {view.kind(n) for n in view.graph if view.knowledge.knows(view.kind(n)) is False}
    )
    if unknown:
        notes.append(f"The ComfyUI that was asked lacks the nodes {', '.join(unknown)}.")
    return notes


def _files(view: View, stages: Stages) -> list[Slot]:
    found: list[Slot] = []
    for node in stages.nodes:
        kind = view.kind(node)
        name = view.knowledge.picture_input(kind) or view.knowledge.row("other_files", kind)
        if name and name in view.inputs(node):
            found.append(Slot(node, name))
    return found
