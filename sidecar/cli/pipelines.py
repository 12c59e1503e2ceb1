"""`promptreel pipelines`: what there is to choose from, and a graph made into one more.

Knows how a list is shown. Must not know graphs: `sidecar.importer` does.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict

from sidecar.importer import command
from sidecar.manifest import PipelineError
from sidecar.pipelines import Pipeline
from sidecar.values import Json

from .group import Group, add_pipelines_dir, by_rank, read_pipelines
from .speech import DONE, FAILED, complain, say, size, table


def run(arguments: Sequence[str]) -> int:
    """Run `pipelines ...`; return the exit status."""
    return _group().run(arguments)


def parser() -> argparse.ArgumentParser:
    """Return the command's parser."""
    return _group().parser


def _group() -> Group:
    group = Group("pipelines", "List the pipelines, or make one of a ComfyUI graph.")
    listing = group.subparsers.add_parser(
        "list", help="list the pipelines", description="List the pipelines, the preferred first."
    )
    listing.add_argument("--json", action="store_true", help="print JSON")
    add_pipelines_dir(listing)
    listing.set_defaults(run=_list)
    command.register(group.subparsers)
    group.subparsers.choices["add"].set_defaults(run=command.run)
    return group


def _list(options: argparse.Namespace) -> int:
    try:
        pipelines = by_rank(read_pipelines(options).values())
    except PipelineError as error:
        complain(str(error))
        return FAILED
    if options.json:
        say(json.dumps([_row(pipeline) for pipeline in pipelines], indent=2))
        return DONE
    say(table([("NAME", "RANK", "MODELS", "WHAT IT IS"), *map(_cells, pipelines)]))
    return DONE


def _cells(pipeline: Pipeline) -> tuple[str, str, str, str]:
    sizes = [model.size for model in pipeline.models]
    models = size(sum(filter(None, sizes))) if all(sizes) else f"{len(sizes)} files"
    return (
        pipeline.name,
        str(pipeline.rank) if pipeline.rank > 0 else "by name",
        models if sizes else "none",
        pipeline.title,
    )


def _row(pipeline: Pipeline) -> Json:
    return {
        "name": pipeline.name,
        "title": pipeline.title,
        "description": pipeline.description,
        "rank": pipeline.rank,
        "requires": pipeline.requires_comfyui,
        "vram": pipeline.vram,
        "nodes": list(pipeline.nodes),
        "models": [asdict(model) for model in pipeline.models],
    }
