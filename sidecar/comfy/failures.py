"""What ComfyUI says when it fails, as one sentence: the node, the cause, a hint.

Pure. Nothing of a path, a traceback or a node's inputs goes through. Must not know HTTP or jobs.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath, PureWindowsPath

from sidecar.values import JobError, Json

from .errors import Rejected
from .shapes import a_list, an_object, objects

_LONGEST = 300  # characters of ComfyUI's own words
_QUOTED_PATH = re.compile(r"(['\"])(?:[A-Za-z]:)?[\\/]{1,2}[^'\"\n]*[\\/]([^'\"\n\\/]*)\1")
_BARE_PATH = re.compile(r"(?<![\w:/\\.])(?:[A-Za-z]:)?[\\/]{1,2}(?:[^\s'\"<>|:*?\\/]+[\\/])+")

_RAISED = "exception_during_"  # types of refusals that a node raised
# What people can do about it, by what the words of the failure hold (lower case).
_HINTS: tuple[tuple[tuple[str, ...], str, str], ...] = (
    (
        ("out of memory", "outofmemory", "allocation on device", "not enough memory"),
        "out_of_memory",
        "Ask for a lower resolution or fewer seconds, or free the GPU's memory.",
    ),
    (
        ("shapes cannot be multiplied", "size mismatch", "must match the size of tensor"),
        "node_failed",
        "The models of the pipeline do not fit together.",
    ),
    (
        ("headertoolarge", "incompletemetadata", "invalidheader", "unpicklingerror"),
        "node_failed",
        "A model file is damaged: download it again.",
    ),
    (
        ("no such file", "filenotfound"),
        "node_failed",
        "A file is missing on the ComfyUI machine.",
    ),
    (("no space left",), "disk_full", "Free some space on the ComfyUI machine."),
)


def harmless(text: object) -> str:
    """Return one short line of ComfyUI's words without any folder in it."""
    lines = [line.strip() for line in str(text or "").splitlines() if line.strip()]
    line = lines[0] if lines else ""
    line = _BARE_PATH.sub("", _QUOTED_PATH.sub(r"\1\2\1", line))
    return line if len(line) <= _LONGEST else line[:_LONGEST].rstrip() + "..."


def node_label(graph: Mapping[str, Json], node_id: object, class_type: object = "") -> str:
    """Return what people call a node: 'Save Video' (node 9)."""
    node = graph.get(str(node_id), {})
    title = node.get("_meta", {}).get("title") or node.get("class_type") or class_type
    return f"{harmless(title)!r} (node {node_id})" if title else f"node {node_id}"


def failure(record: Json, graph: Mapping[str, Json]) -> JobError | None:
    """Return why a finished prompt failed, by its history record; None if it succeeded."""
    status = an_object(record.get("status"))
    if status.get("status_str", "success") == "success":
        return None
    for kind, data in _messages(record):
        if kind == "execution_interrupted":
            return JobError(
                "interrupted_in_comfyui",
                "Somebody stopped the job in ComfyUI: send it again.",
                f"It was at {node_label(graph, data.get('node_id'), data.get('node_type'))}.",
            )
    return _node_failure(record, graph) or JobError(
        "comfyui_failed", "ComfyUI failed and did not say why: its log says more."
    )


def no_files(record: Json, graph: Mapping[str, Json], node_id: str) -> JobError:
    """Return why a "success" has no files: a blocked node, or a save node that made nothing."""
    return _node_failure(record, graph) or JobError(
        "no_output",
        f"ComfyUI finished, but {node_label(graph, node_id)} made no file that can be used.",
        "Check that this node saves a picture or a video, and that nothing before it is bypassed.",
    )


def rejection(rejected: Rejected, graph: Mapping[str, Json]) -> JobError:
    """Return why ComfyUI did not take the graph."""
    found = list(_input_errors(rejected.node_errors, graph))
    if found:
        more = f" And {len(found) - 1} more." if len(found) > 1 else ""
        return JobError(
            "graph_rejected", _sentence(f"ComfyUI refuses {found[0]}"), "; ".join(found[1:6]) + more
        )
    kind = str(rejected.error.get("type") or "")
    message = harmless(rejected.error.get("message")) or "it does not say why"
    missing = kind == "missing_node_type" or ("node" in message and "does not exist" in message)
    if missing:
        return JobError(
            "missing_requirements",
            _sentence(f"This ComfyUI lacks a node of the pipeline: {message}"),
            "Install the node pack there and restart it.",
            status=400,
        )
    return JobError("graph_rejected", _sentence(f"ComfyUI refuses the graph: {message}"))


def public_record(record: Json) -> Json:
    """Return `outputs` and `status` of a history record, without folders, errors and inputs."""
    status = dict(an_object(record.get("status")))
    status["messages"] = [
        [kind, _without(data, "traceback", "current_inputs", "current_outputs")]
        for kind, data in _messages(record)
    ]
    return {"outputs": _without_folders(record.get("outputs") or {}), "status": status}


def _messages(record: Json) -> Iterator[tuple[str, Json]]:
    for entry in a_list(an_object(record.get("status")).get("messages")):
        pair = a_list(entry)
        if len(pair) == 2:
            yield str(pair[0]), an_object(pair[1])


def _node_failure(record: Json, graph: Mapping[str, Json]) -> JobError | None:
    for kind, data in _messages(record):
        if kind == "execution_error":
            cause = harmless(data.get("exception_message"))
            name = harmless(str(data.get("exception_type") or "").rpartition(".")[2])
            cause = cause or name or "it does not say why"
            code, hint = _hint(f"{name} {cause}")
            where = node_label(graph, data.get("node_id"), data.get("node_type"))
            said = _sentence(f"ComfyUI failed in {where}: {cause}")
            return JobError(code, f"{said} {hint}".strip(), f"{name} in {where}." if name else "")
    return None


def _sentence(text: str) -> str:
    return text if text.endswith((".", "!", "?")) else f"{text}."


def _hint(words: str) -> tuple[str, str]:
    lower = words.lower()
    for patterns, code, hint in _HINTS:
        if any(pattern in lower for pattern in patterns):
            return code, hint
    return "node_failed", ""


def _input_errors(node_errors: Json, graph: Mapping[str, Json]) -> Iterator[str]:
    """Say what is wrong with each input: 'Load Image' (node 1): Invalid image file: a.png."""
    for node_id, entry in node_errors.items():
        typed = an_object(entry)
        where = node_label(graph, node_id, typed.get("class_type"))
        for error in objects(typed.get("errors")) or [{}]:
            message, details = harmless(error.get("message")), harmless(error.get("details"))
            if str(error.get("type")).startswith(_RAISED) and " " in details:
                message = ""  # a node's own sentence needs no "Exception when validating"
            said = ": ".join(part.rstrip(".") for part in (message, details) if part)
            yield f"{where}: {said or 'it does not say why'}"


def _without(data: Json, *names: str) -> Json:
    kept = {key: value for key, value in data.items() if key not in names}
    if "exception_message" in kept:
        kept["exception_message"] = harmless(kept["exception_message"])
    return kept


def _without_folders(value: object) -> object:
    """Return JSON with every text that is an absolute path cut to its last name."""
    if isinstance(value, str):
        return _without_folder(value)
    if items := a_list(value):
        return [_without_folders(item) for item in items]
    if pairs := an_object(value):
        return {key: _without_folders(item) for key, item in pairs.items()}
    return value


def _without_folder(text: str) -> str:
    windows = PureWindowsPath(text)
    absolute = PurePosixPath(text).is_absolute() or (windows.drive and windows.root)
    return windows.name if absolute and "\n" not in text else text
