"""The door to the pack's rules of pipelines: what a graph takes, its manifest, how it is bound.

The same rules read what is published in the editor, so that they live in the pack. Everything the
sidecar needs of them is re-exported here. Quick to import, unlike the engine (`engine`).
"""

from promptreel.publish.errors import ImportFailure, NoSuchPlace, NotAGraph, Unsure
from promptreel.publish.findings import Findings, Question, find_all, find_output
from promptreel.publish.graphs import GraphError, is_link, widget
from promptreel.publish.knowledge import load_knowledge
from promptreel.publish.manifest import PipelineError, load_pipeline, read_pipeline
from promptreel.publish.manifest_text import About, manifest
from promptreel.publish.model_rows import OLDER_NAMES, present_name
from promptreel.publish.models import model_rows
from promptreel.publish.params import (
    COMMON,
    PARAM_TYPES,
    Param,
    ParamType,
    WrongValue,
    is_value,
    parse,
)
from promptreel.publish.pipelines import IMAGE, TEXT, ModelFile, Pipeline, Slot, bind, typed
from promptreel.publish.requests import requested
from promptreel.publish.shelf import GRAPH, MANIFEST, MOST, NAME, SIZES, published
from promptreel.publish.source import HOW_TO_EXPORT, graph_of, parsed
from promptreel.publish.tracing import Slots
from promptreel.publish.view import View
from promptreel.publish.writing import manifest_text, name_of, proved, put

__all__ = [
    "COMMON",
    "GRAPH",
    "HOW_TO_EXPORT",
    "IMAGE",
    "MANIFEST",
    "MOST",
    "NAME",
    "OLDER_NAMES",
    "PARAM_TYPES",
    "SIZES",
    "TEXT",
    "About",
    "Findings",
    "GraphError",
    "ImportFailure",
    "ModelFile",
    "NoSuchPlace",
    "NotAGraph",
    "Param",
    "ParamType",
    "Pipeline",
    "PipelineError",
    "Question",
    "Slot",
    "Slots",
    "Unsure",
    "View",
    "WrongValue",
    "bind",
    "find_all",
    "find_output",
    "graph_of",
    "is_link",
    "is_value",
    "load_knowledge",
    "load_pipeline",
    "manifest",
    "manifest_text",
    "model_rows",
    "name_of",
    "parse",
    "parsed",
    "present_name",
    "proved",
    "published",
    "put",
    "read_pipeline",
    "requested",
    "typed",
    "widget",
]
