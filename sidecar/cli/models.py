"""`promptreel models`: what pipelines need, what a ComfyUI folder has, and the download.

Knows how it is shown. Must not know files or the Hub: `sidecar.models` does.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict

from sidecar.manifest import PipelineError
from sidecar.models.errors import ModelsError
from sidecar.models.folders import ComfyFolder, open_folder
from sidecar.models.needs import Found, State, look
from sidecar.pipelines import ModelFile, Pipeline
from sidecar.values import Json

from .group import Group, add_pipelines_dir, by_rank, one_of, read_pipelines
from .speech import DONE, FAILED, INTERRUPTED, complain, say, size, table

_PULL = """
The files come from the Hugging Face Hub into the folders that this ComfyUI reads, each checked by
its SHA-256. What is there is skipped; what broke off goes on where it was. Repositories whose terms
must be accepted need the environment variable HF_TOKEN.
"""


def run(arguments: Sequence[str]) -> int:
    """Run `models ...`; return the exit status."""
    try:
        return _group().run(arguments)
    except (ModelsError, PipelineError) as error:
        complain(str(error))
        return FAILED


def parser() -> argparse.ArgumentParser:
    """Return the command's parser."""
    return _group().parser


def _group() -> Group:
    group = Group("models", "List the model files that pipelines need, or download them.")
    _add_list(group)
    _add_pull(group)
    return group


def _add_list(group: Group) -> None:
    parser = group.subparsers.add_parser(
        "list",
        help="list the files that a pipeline, or every one, needs",
        description="List the files that a pipeline, or every one, needs.",
    )
    parser.add_argument("pipeline", nargs="?", metavar="PIPELINE", help="only this one's")
    parser.add_argument("--comfyui", metavar="PATH", help="the ComfyUI folder to look into")
    parser.add_argument("--json", action="store_true", help="print JSON")
    add_pipelines_dir(parser)
    parser.set_defaults(run=_list)


def _add_pull(group: Group) -> None:
    parser = group.subparsers.add_parser(
        "pull",
        help="download the files that a pipeline needs",
        description="Download the files that a pipeline needs.",
        epilog=_PULL,
    )
    parser.add_argument("pipeline", metavar="PIPELINE")
    parser.add_argument(
        "--comfyui", metavar="PATH", required=True, help="the ComfyUI folder to put them into"
    )
    add_pipelines_dir(parser)
    parser.set_defaults(run=_pull)


def _list(options: argparse.Namespace) -> int:
    pipelines = read_pipelines(options)
    comfy = open_folder(options.comfyui) if options.comfyui else None
    chosen = [one_of(pipelines, options.pipeline)] if options.pipeline else pipelines.values()
    shown = [pipeline for pipeline in by_rank(chosen) if pipeline.models or options.pipeline]
    if options.json:
        say(json.dumps([_row(pipeline, comfy) for pipeline in shown], indent=2))
        return DONE
    say("\n\n".join(_block(pipeline, comfy) for pipeline in shown) or "No pipeline needs a model.")
    if comfy and comfy.note:
        complain(comfy.note)
    return DONE


def _block(pipeline: Pipeline, comfy: ComfyFolder | None) -> str:
    told = f" ({pipeline.vram})" if pipeline.vram else ""
    head = f"{pipeline.name}: {pipeline.title}{told}"
    if not pipeline.models:
        return f"{head}\n  needs no model"
    rows = [_cells(model, comfy) for model in pipeline.models]
    return "\n".join([head, *(f"  {line}" for line in table(rows).splitlines())])


def _cells(model: ModelFile, comfy: ComfyFolder | None) -> tuple[str, ...]:
    cells = (f"models/{model.folder}/{model.name}", size(model.size), model.licence)
    return cells if comfy is None else (_status(look(model, comfy), comfy), *cells)


def _status(found: Found, comfy: ComfyFolder) -> str:
    if found.state is State.THERE:
        return "there" if comfy.root in found.path.parents else f"there: {found.path}"
    if found.state is State.OTHER_SIZE:
        return f"there, but {size(found.on_disk)}"
    if found.state is State.BEGUN:
        return f"begun: {size(found.on_disk)}"
    return "missing"


def _row(pipeline: Pipeline, comfy: ComfyFolder | None) -> Json:
    models = [asdict(model) | _there(model, comfy) for model in pipeline.models]
    return {"pipeline": pipeline.name, "vram": pipeline.vram, "models": models}


def _there(model: ModelFile, comfy: ComfyFolder | None) -> Json:
    if comfy is None:
        return {}
    found = look(model, comfy)
    return {"state": found.state.value, "path": str(found.path), "onDisk": found.on_disk}


def _pull(options: argparse.Namespace) -> int:
    pipeline = one_of(read_pipelines(options), options.pipeline)
    comfy = open_folder(options.comfyui)
    if comfy.note:
        complain(comfy.note)
    if not pipeline.models:
        say(f"{pipeline.name} needs no model.")
        return DONE
    try:
        return _pulled(pipeline, comfy)
    except KeyboardInterrupt:
        complain("interrupted: what has arrived is kept, the same command goes on from there.")
        return INTERRUPTED


def _pulled(pipeline: Pipeline, comfy: ComfyFolder) -> int:
    from sidecar.models.hub import Hub  # noqa: PLC0415  needed to download only
    from sidecar.models.pull import check_space, fetch, plan  # noqa: PLC0415

    hub = Hub()
    planned = plan(pipeline.models, comfy, hub)
    for found in planned.there:
        say(f"there: {comfy.shown(found.path)}")
    for trouble in dict.fromkeys(planned.troubles):  # one for all files where it is the same
        complain(trouble)
    check_space(planned.tasks)
    damaged = fetch(planned.tasks, hub, comfy, say)
    for trouble in damaged:
        complain(trouble)
    if planned.troubles or damaged:
        return FAILED
    say(f"{pipeline.name} has all its {len(pipeline.models)} files.")
    return DONE
