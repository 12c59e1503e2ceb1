"""What `pipelines` and `models` share: a command with commands of its own, and the pipelines read.

Must not know what these commands do.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from sidecar.manifest import PipelineError, bundled_folder, load_pipelines
from sidecar.pipelines import Pipeline

from .speech import USAGE, complain, unknown

PIPELINES_DIR = "PROMPTREEL_PIPELINES_DIR"


class Group:
    """A command's parser whose commands are added to `subparsers`; each sets its own `run`."""

    def __init__(self, name: str, description: str) -> None:
        self.name = name
        self.parser = argparse.ArgumentParser(
            prog=f"promptreel {name}", description=description, allow_abbrev=False
        )
        self.subparsers = self.parser.add_subparsers(
            metavar="COMMAND", title="commands", prog=f"promptreel {name}"
        )

    def run(self, arguments: Sequence[str]) -> int:
        """Run the command that the arguments name; return its exit status."""
        if not arguments:
            self.parser.print_help()
            return USAGE
        known = list(self.subparsers.choices)
        if not arguments[0].startswith("-") and arguments[0] not in known:
            complain(unknown(arguments[0], known, self.name))
            return USAGE
        options = self.parser.parse_args(list(arguments))
        return options.run(options)


def add_pipelines_dir(parser: argparse.ArgumentParser) -> None:
    """Add the option that names the folder of one's own pipelines, as the service has it."""
    parser.add_argument(
        "--pipelines-dir",
        metavar="PATH",
        default=None,
        help=f"folder with pipelines of your own (environment: {PIPELINES_DIR})",
    )


def read_pipelines(options: argparse.Namespace) -> dict[str, Pipeline]:
    """Return our own pipelines and those of the folder named. Raises PipelineError."""
    named: str = options.pipelines_dir or os.environ.get(PIPELINES_DIR, "").strip()
    own = [Path(named).expanduser()] if named else []
    return load_pipelines([bundled_folder(), *own])


def one_of(pipelines: dict[str, Pipeline], name: str) -> Pipeline:
    """Return the pipeline of that name. Raises PipelineError, naming the known ones."""
    if name in pipelines:
        return pipelines[name]
    raise PipelineError(f"There is no pipeline {name!r}: known are {', '.join(pipelines)}.")


def by_rank(pipelines: Iterable[Pipeline]) -> list[Pipeline]:
    """Return the pipelines, those that are preferred first."""
    return sorted(pipelines, key=lambda pipeline: (-pipeline.rank, pipeline.name))
