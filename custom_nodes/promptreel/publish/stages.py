"""Which nodes make the answer: the output, the samplers of the last stage, and those before. Pure.

A stage ends where a picture goes in: a graph that first draws a still and then moves it has two.
"""

from __future__ import annotations

from dataclasses import dataclass

from .knowledge import base_name
from .view import Edge, View


@dataclass(frozen=True)
class Stages:
    """`nodes`: all that the output depends on, the nearest first. `last`: the samplers whose result
    is the video (two experts, or an upscaling second pass, are one stage). `earlier`: the others.
    """

    output: str
    nodes: tuple[str, ...]
    last: tuple[str, ...]
    earlier: tuple[str, ...]


def video_outputs(view: View) -> list[str]:
    """Return the nodes that write a video."""
    known = view.knowledge.listed("video_outputs")
    found = [node for node in view.graph if view.kind(node) in known]
    return found or [node for node in view.sinks() if _writes_video(view, node)]


def find_stages(view: View, output: str) -> Stages:
    """Return what makes an output."""
    nodes = view.upstream(output)
    samplers = [node for node in nodes if is_sampler(view, node)]
    last = _last(view, output)
    return Stages(
        output=output,
        nodes=tuple(nodes),
        last=tuple(last),
        earlier=tuple(node for node in samplers if node not in last),
    )


def is_sampler(view: View, node: str) -> bool:
    """Whether a node draws from noise: it has a seed (or noise), and a model or a guider."""
    inputs = view.inputs(node)
    return bool({"seed", "noise_seed", "noise"} & inputs.keys()) and any(
        view.edge(node, name) for name in ("model", "guider")
    )


def is_picture_edge(view: View, edge: Edge) -> bool:
    """Whether a picture (or a film, a mask) goes in there, and no latent."""
    return any(
        view.knowledge.matches(key, base_name(edge.name))
        for key in ("picture_edges", "reference_edges", "control_edges", "side_edges")
    )


def makes_itself(view: View, node: str) -> bool:
    """Whether a node without a sampler behind it makes the video from words: a remote model."""
    names = [*view.knowledge.listed("text_names"), *view.knowledge.listed("positive_names")]
    return any(name in view.inputs(node) for name in names) and any(
        is_picture_edge(view, edge) for edge in view.edges(node)
    )


def _last(view: View, output: str) -> list[str]:
    """Return the samplers nearest to the output, and those whose latents they go on with."""
    found = _nearest(view, view.edges(output))
    for sampler in found:  # grows while it is read
        latents = [edge for edge in view.edges(sampler) if _is_latent(edge)]
        within = _nearest(view, latents, stay=True)
        found.extend(node for node in within if node not in found)
    return found or [node for node in view.upstream(output) if makes_itself(view, node)][:1]


def _nearest(view: View, starts: list[Edge], stay: bool = False) -> list[str]:
    """Return the samplers behind some edges, none behind another; `stay`: not past a picture."""
    met: list[str] = []

    def goes(edge: Edge) -> bool:
        return edge.node not in met and not (stay and is_picture_edge(view, edge))

    for edge in view.walk(starts, goes):
        if is_sampler(view, edge.source):
            met.append(edge.source)  # noqa: PERF401  `goes` reads it meanwhile
    return met


def _is_latent(edge: Edge) -> bool:
    return "latent" in edge.name or edge.name == "samples"


def _writes_video(view: View, node: str) -> bool:
    """Whether a node of an unknown class looks like one that writes a video."""
    asked = view.knowledge.knows(view.kind(node))
    inputs = view.inputs(node)
    looks = view.kind(node) not in view.knowledge.listed("no_outputs") and bool(
        inputs.keys() & {"video", *view.knowledge.listed("fps_names")}
    )
    return looks and (asked is None or view.knowledge.is_output(view.kind(node)))
