"""`promptreel pipelines add FILE`: a graph becomes a pipeline.

Knows the command's options and the order of the steps. Exit status: 0 done, 1 it can't be done (one
sentence says why), 2 an option is wrong, 130 interrupted.
"""

from __future__ import annotations

import argparse
import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from sidecar.cli.group import PIPELINES_DIR, add_pipelines_dir
from sidecar.cli.speech import DONE, FAILED, INTERRUPTED, USAGE, complain
from sidecar.rules import (
    About,
    Findings,
    ImportFailure,
    NoSuchPlace,
    Question,
    View,
    find_all,
    find_output,
    load_knowledge,
    manifest,
    model_rows,
    name_of,
    proved,
    requested,
)

from .asking import ask_nodes
from .places import Settings, read_settings
from .reading import read_source
from .talk import Ask, agreed, choose, plain, say, show
from .writing import check_name, write

_MORE = """
FILE is a graph saved by Workflow > Export (API), or a picture or video that ComfyUI saved: it holds
the graph in its metadata. What the graph does not tell for certain is asked; where nobody can
answer, the --set to give is named. --set NAME=NODE.INPUT[,NODE.INPUT] maps any parameter, --set
NAME= maps it nowhere, --set video=NODE and --set still=NODE choose the nodes that save the answer.
"""


class Parsers(Protocol):
    """What `ArgumentParser.add_subparsers` returns."""

    def add_parser(
        self,
        name: str,
        *,
        help: str,  # noqa: A002  argparse's name
        description: str,
        epilog: str,
    ) -> argparse.ArgumentParser:
        """Add the parser of a command."""
        ...


def register(subparsers: Parsers) -> None:
    """Add the parser of `add`; whoever calls sets `run`."""
    parser = subparsers.add_parser(
        "add",
        help="make a pipeline of a ComfyUI graph",
        description="Make a pipeline of a ComfyUI graph.",
        epilog=_MORE,
    )
    parser.add_argument("file", metavar="FILE", help="the graph, or a picture or video with it")
    parser.add_argument("--name", metavar="NAME", help="the pipeline's name (default: the file's)")
    parser.add_argument("--title", metavar="TEXT", default="", help="its title, for people")
    parser.add_argument("--description", metavar="TEXT", default="", help="what it does")
    parser.add_argument("--requires", metavar="VERSION", default="", help="the oldest ComfyUI")
    parser.add_argument("--comfyui", metavar="URL", help="a running ComfyUI to ask about nodes")
    parser.add_argument("--set", metavar="NAME=NODE.INPUT", action="append", default=[])
    parser.add_argument("--yes", action="store_true", help="ask nothing")
    parser.add_argument("--dry-run", action="store_true", help="show it, and write nothing")
    parser.add_argument("--force", action="store_true", help="replace a pipeline of that name")
    add_pipelines_dir(parser)


def run(options: argparse.Namespace) -> int:
    """Run `pipelines add`; return the exit status."""
    try:
        return _add(options)
    except NoSuchPlace as error:
        complain(plain(str(error)))
        return USAGE
    except ImportFailure as error:
        complain(plain(str(error)))
        return FAILED
    except KeyboardInterrupt:
        return INTERRUPTED


def _add(options: argparse.Namespace) -> int:
    name: str = options.name or name_of(Path(options.file).stem)
    place = None if options.dry_run else _place(options, name)
    source = read_source(Path(options.file))
    info = ask_nodes(options.comfyui) if options.comfyui else None
    view = View(source.graph, load_knowledge(info))
    ask = input if sys.stdin.isatty() and not options.yes else None
    found = _settled(view, read_settings(view, options.set), ask)
    models = model_rows(view, source.models)
    about = About(options.title or name, options.description, options.requires)
    text = manifest(view, found, models, about)
    proved(name, text, source.graph)
    show(view, found, models)
    if place is None:
        return DONE
    if ask is not None and not agreed(ask, name):
        say("Nothing was written.")
        return FAILED
    pipeline = write(place, text, source.graph)
    say(f"\nWrote {place}: ask for it by comfyPipeline={pipeline.name}.")
    return DONE


def _place(options: argparse.Namespace, name: str) -> Path:
    """Return where the pipeline goes. Raises ImportFailure if that is unknown or taken."""
    named: str = options.pipelines_dir or os.environ.get(PIPELINES_DIR, "").strip()
    if not named:
        raise NoSuchPlace(
            f"Where to? Give --pipelines-dir PATH, or set {PIPELINES_DIR} as for the service."
        )
    return check_name(name, Path(named).expanduser(), options.force)


def _settled(view: View, settings: Settings, ask: Ask | None) -> Findings:
    """Return the findings with every question answered. Raises ImportFailure."""
    output = find_output(view, settings.video)
    if isinstance(output, Question):
        output = choose(view, output, ask)[0].node
    given = {**requested(view), **settings.mapping}
    found = find_all(view, output, given)
    while found.questions:
        question = found.questions[0]
        given[question.name] = choose(view, question, ask)
        found = find_all(view, output, given)
    return replace(found, still=settings.still) if settings.still else found
