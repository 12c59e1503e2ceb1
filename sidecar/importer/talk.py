"""What a person sees and is asked: the mapping as a table, and numbered choices.

Must not know how anything is found.
"""

from __future__ import annotations

from collections.abc import Callable

from sidecar.cli.speech import say as say_raw
from sidecar.cli.speech import table
from sidecar.rules import Findings, Question, Slot, Slots, Unsure, View
from sidecar.values import Json

Ask = Callable[[str], str]  # shows a line, returns what was typed; raises EOFError at the end
_WIDEST = 56


def plain(text: str) -> str:
    """Return a text without what a terminal would obey; names in a graph may hold anything."""
    return "".join(c for c in text if c.isprintable() or c == "\n")


def say(text: str) -> None:
    """Tell the person something that may hold texts of the graph."""
    say_raw(plain(text))


def show(view: View, found: Findings, models: list[Json]) -> None:
    """Show where everything goes, and what else to know."""
    rows = [("PARAMETER", "GOES TO", "NODE", "IN THE GRAPH")]
    for name, slots in found.mapping.items():
        rows += [_row(view, name, slot) for slot in slots] or [(name, "nowhere", "", "")]
    rows.append(("video", found.video, view.title(found.video), ""))
    if found.still:
        rows.append(("still", found.still, view.title(found.still), ""))
    say(table(rows))
    if models:
        say(f"\n{len(models)} model files:")
        say(table([(f"  {row['folder']}", str(row["name"])) for row in models]))
    for note in found.notes:
        say(f"\n{note}")


def choose(view: View, question: Question, ask: Ask | None) -> Slots:
    """Return the choice of a person. Raises Unsure, with the --set to give, if nobody is there."""
    if ask is None:
        raise Unsure(_unsure(view, question))
    say(f"\n{question.asked}")
    for number, slots in enumerate(question.choices, 1):
        say(f"  {number}  {_described(view, slots)}")
    while True:
        try:
            given = ask(f"Number (1 to {len(question.choices)}): ").strip()
        except EOFError:
            raise Unsure(_unsure(view, question)) from None
        if given.isascii() and given.isdigit() and 1 <= int(given) <= len(question.choices):
            return question.choices[int(given) - 1]


def agreed(ask: Ask, name: str) -> bool:
    """Whether the person wants it written."""
    try:
        return ask(f"\nWrite the pipeline {name!r}? [Y/n] ").strip().lower() in ("", "y", "yes")
    except EOFError:
        return False


def place(slots: Slots) -> str:
    """Return slots as --set takes them: "6.text,7.text"."""
    return ",".join(f"{slot.node}.{slot.input}" if slot.input else slot.node for slot in slots)


def _unsure(view: View, question: Question) -> str:
    options = "\n".join(
        f"  --set {question.name}={place(slots)}   {_described(view, slots)}"
        for slots in question.choices
    )
    return f"{question.asked} Say it by one of:\n{options}"


def _described(view: View, slots: Slots) -> str:
    if not slots:
        return "nowhere"
    return "; ".join(" ".join(_row(view, "", slot)[1:]).strip() for slot in slots)


def _row(view: View, name: str, slot: Slot) -> tuple[str, str, str, str]:
    held = _short(view.inputs(slot.node).get(slot.input)) if slot.input else ""
    return (name, place((slot,)), _short(view.title(slot.node)), held)


def _short(value: object) -> str:
    text = plain(" ".join(str(value).split()))
    return text if len(text) <= _WIDEST else f"{text[: _WIDEST - 3]}..."
