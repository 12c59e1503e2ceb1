"""The model loaders: one node per family, all of them made from the families' own rows.

A loader reads the headers of the chosen files, refuses what doesn't fit together before anything
is loaded, and becomes ComfyUI's own loader nodes.
"""

from __future__ import annotations

from typing import Any, ClassVar

from comfy_api.latest import io
from comfy_execution.graph_utils import GraphBuilder

from ..engine.errors import ParameterError
from ..families import FAMILIES, KEYFRAMES
from ..families.base import Family, Model, Options, Slot
from ..families.take import Chosen
from .bundle import ImageModel, VideoModel, joined
from .model_files import absent, choices, chosen, headers, kinds
from .schema import schema

WEIGHT_DTYPES = ("default", "fp8_e4m3fn", "fp8_e4m3fn_fast", "fp8_e5m2")  # as UNETLoader's


class Loader(io.ComfyNode):
    """What all loaders are; `family` is the one that a class loads."""

    family: ClassVar[Model]

    @classmethod
    def define_schema(cls) -> io.Schema:
        """Declare a widget for each file and switch. ComfyUI asks again at each page load."""
        files = [_file_input(slot) for slot in cls.family.slots]
        switches = [_SWITCHES[name]() for name in cls.family.switches]
        kind = VideoModel if isinstance(cls.family, Family) else ImageModel
        return schema(cls.family.node_id, [*files, *switches], [kind.Output()], expands=True)

    @classmethod
    def validate_inputs(cls, **values: Any) -> bool | str:  # noqa: ANN401  any widget
        """Refuse missing files before anything runs, with what to download and where to put it.

        It raises: a sentence that is returned ComfyUI repeats for each of the node's inputs.
        """
        _refuse(cls.family, values)
        return True

    @classmethod
    def execute(cls, **values: Any) -> io.NodeOutput:  # noqa: ANN401
        """Check the files against each other, then become their loaders."""
        _refuse(cls.family, values)
        asked = settings(cls.family, values)
        cls.family.check(headers(cls.family.slots, asked.files))
        graph = GraphBuilder()
        parts = cls.family.load(graph, asked.files, asked.options)
        return io.NodeOutput(joined(graph, asked, parts), expand=graph.finalize())


def loaders() -> list[type[io.ComfyNode]]:
    """Return the loader nodes of all families."""
    return [_loader(family) for family in (*FAMILIES.values(), *KEYFRAMES.values())]


def settings(family: Model, values: dict[str, Any]) -> Chosen:
    """Return what a loader's widgets say."""
    options = options_of(values)
    used = [slot for slot in family.slots if not slot.optional or slot in family.needed(options)]
    files = chosen(used, values)
    return Chosen(family.id, files, options, kinds(used, files))


def _refuse(family: Model, values: dict[str, Any]) -> None:
    """Raise ParameterError for an unknown choice, or for files that are not there."""
    dtype = values.get("weight_dtype") or "default"
    if dtype not in WEIGHT_DTYPES:
        raise ParameterError(
            f"Unknown weight_dtype {dtype!r}: use one of {', '.join(WEIGHT_DTYPES)}."
        )
    for slot in family.slots:
        value = values.get(slot.role)
        if value is not None and not isinstance(value, str):
            raise ParameterError(f"{slot.role} must be the name of a file, not {value!r}.")
    gone = absent(family.needed(options_of(values)), values)
    if gone:
        raise ParameterError(gone)


def options_of(values: dict[str, Any]) -> Options:
    """Return what a loader's switches say."""
    return Options(values.get("weight_dtype") or "default", bool(values.get("fast")))


def _loader(family: Model) -> type[Loader]:
    name = family.node_id.removeprefix("PromptReel")
    return type(name, (Loader,), {"family": family, "__doc__": f"Loads {family.title}."})


def _file_input(slot: Slot) -> io.Input:
    names = choices(slot)
    return io.Combo.Input(slot.role, options=names, default=names[0], optional=slot.optional)


_SWITCHES = {
    "weight_dtype": lambda: io.Combo.Input(
        "weight_dtype", options=list(WEIGHT_DTYPES), default="default", optional=True
    ),
    "fast": lambda: io.Boolean.Input("fast", default=False, optional=True),
}
