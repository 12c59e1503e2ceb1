"""Where the prompt and the negative prompt go: by the sampler's own inputs, not by order or titles.

From the last stage's samplers through guiders and conditioning nodes to the text encoders. Pure.
"""

from __future__ import annotations

from collections.abc import Collection

from .pipelines import Slot
from .stages import Stages, is_picture_edge
from .tracing import Slots, alike, texts
from .view import Edge, View

POSITIVE, NEGATIVE = "positive", "negative"


def find_text(view: View, stages: Stages) -> tuple[Slots, ...]:
    """Return the readings of the prompt's place: one is sure, several are for a person to choose.

    An earlier stage's prompt that holds the very same words goes with it. A stage without words
    (SVD) leaves them to the earlier ones. No reading: there is no text.
    """
    found = _of(view, stages.last, POSITIVE) or _of(view, stages.earlier, POSITIVE)
    readings = _readings(view, found)
    if len(readings) != 1:
        return readings
    return (readings[0] + _same_words(view, stages, POSITIVE, readings[0]),)


def find_negative(view: View, stages: Stages, text: Slots) -> tuple[Slots, ...]:
    """Return the readings of the negative's place; where it is the prompt's own there is none."""
    found = _of(view, stages.last, NEGATIVE)
    readings = _readings(view, tuple(slot for slot in found if slot not in text))
    if len(readings) != 1:
        return readings
    return (readings[0] + _same_words(view, stages, NEGATIVE, readings[0]),)


def text_widgets(view: View, stages: Stages) -> Slots:
    """Return every widget that could take a prompt, for a person to choose from."""
    return tuple(
        Slot(node, name)
        for node in stages.nodes
        for name, value in view.inputs(node).items()
        if isinstance(value, str) and _may_be_prompt(view, node, name, value)
    )


def _may_be_prompt(view: View, node: str, name: str, value: str) -> bool:
    """Whether a widget is called like a text, or holds more than one word and no file's name."""
    kind = view.kind(node)
    files = (view.knowledge.picture_input(kind), view.knowledge.row("other_files", kind))
    loads = view.knowledge.row("model_files", kind) or ()
    if name in files or name in loads or name in ("filename_prefix", "expression", "sigmas"):
        return False
    called = name in view.knowledge.listed("string_names") or "prompt" in name
    return called or view.knowledge.is_text(kind, name) or len(value.split()) > 1


def _of(view: View, samplers: tuple[str, ...], role: str) -> Slots:
    found = [slot for sampler in samplers for slot in _behind(view, sampler, role)]
    return tuple(dict.fromkeys(found))


def _readings(view: View, slots: Slots) -> tuple[Slots, ...]:
    """All at once if they belong to one encoder or hold the same words; or one after another.

    Of texts that a node joins, never all: the others would be lost.
    """
    if not slots:
        return ()
    if len(slots) > 1 and _are_joined(view, slots):
        return tuple((slot,) for slot in _loose(view, slots))
    if len({slot.node for slot in slots}) == 1 or alike(view, slots):
        return (slots,)
    return tuple((slot,) for slot in slots)


def _are_joined(view: View, slots: Slots) -> bool:
    """Whether the widgets are the parts that one node puts together."""
    parts = view.knowledge.listed("string_parts")
    return len({slot.node for slot in slots}) == 1 and all(slot.input in parts for slot in slots)


def _loose(view: View, slots: Slots) -> Slots:
    """Return the parts that are not clearly fixed: no "Style:" and no ", 35 mm film"."""
    held = {slot: str(view.value(slot)).strip() for slot in slots}
    fixed = {slot for slot, text in held.items() if text[-1:] == ":" or text[:1] in (",", ";")}
    return tuple(slot for slot in slots if slot not in fixed) or slots


def _same_words(view: View, stages: Stages, role: str, chosen: Slots) -> Slots:
    words = {str(view.value(slot)) for slot in chosen} - {""}
    return tuple(
        slot
        for slot in _of(view, stages.earlier, role)
        if view.value(slot) in words and slot not in chosen
    )


def _behind(view: View, sampler: str, role: str) -> Slots:
    """Return the text widgets behind a sampler's (or its guider's) positive or negative input."""
    found: dict[Slot, None] = {}
    todo, seen = [(sampler, role)], {(sampler, role)}
    for node, wanted in todo:  # grows while it is read
        own = _own_texts(view, node, wanted)
        found.update(dict.fromkeys(own))
        new = [] if own else [step for step in _steps(view, node, wanted) if step not in seen]
        todo += new
        seen.update(new)
    return tuple(found)


def _own_texts(view: View, node: str, role: str) -> Slots:
    """Return the widgets of a node that encodes a text itself."""
    inputs = view.inputs(node)
    named = view.knowledge.row("texts", view.kind(node)) or _names(view, inputs.keys(), role)
    return tuple(slot for name in named if name in inputs for slot in texts(view, node, name))


def _names(view: View, inputs: Collection[str], role: str) -> list[str]:
    """Return what a node's text of that role is called: "text", unless it has one for each role."""
    for one in (POSITIVE, NEGATIVE):
        names = view.knowledge.listed(f"{one}_names")
        if any(name in inputs for name in names) and (role == one or one == POSITIVE):
            return names if role == one else view.knowledge.listed(f"{role}_names")
    return view.knowledge.listed("text_names")


def _steps(view: View, node: str, role: str) -> list[tuple[str, str]]:
    """Return the nodes whose conditioning a node has in that role, and each one's role there."""
    edges = view.edges(node)
    chosen = [edge for edge in edges if edge.name == role]
    if not chosen:
        emptied = view.kind(node) in view.knowledge.listed("no_conditioning")
        if emptied and role == NEGATIVE:
            return []
        chosen = [edge for edge in edges if _is_conditioning(view, edge)]
    return [(edge.source, _role_there(view, edge, role)) for edge in chosen]


def _is_conditioning(view: View, edge: Edge) -> bool:
    if edge.name in (POSITIVE, NEGATIVE):
        return False
    kind = view.knowledge.kind(view.kind(edge.node), edge.name)
    if kind:
        return kind in ("CONDITIONING", "GUIDER")
    other = edge.name in view.knowledge.listed("not_conditioning")
    return not other and not is_picture_edge(view, edge)


def _role_there(view: View, edge: Edge, role: str) -> str:
    """Return which of its two conditionings a node that passes on both gives there.

    Its outputs' names tell (where a ComfyUI was asked); or the other link from it into the same
    node: the positive comes first.
    """
    if not {POSITIVE, NEGATIVE} <= view.inputs(edge.source).keys():
        return role
    name = view.knowledge.output_name(view.kind(edge.source), edge.slot)
    if name in (POSITIVE, NEGATIVE):
        return name
    other = view.edge(edge.node, NEGATIVE if edge.name == POSITIVE else POSITIVE)
    if other is None or other.source != edge.source or other.slot == edge.slot:
        return role
    return POSITIVE if edge.slot < other.slot else NEGATIVE
