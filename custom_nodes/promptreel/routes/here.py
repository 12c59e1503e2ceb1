"""What this ComfyUI has: node classes, model files, its users' folders, where it listens.

Asks ComfyUI's own modules where they are loaded; where there is none (tests, tools) there is
nothing to tell, and nothing is called missing.
"""

from __future__ import annotations

import ipaddress
import logging
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from aiohttp import web

from ..engine.errors import ParameterError
from ..publish.pipelines import ModelFile, Pipeline
from ..publish.values import Json

log = logging.getLogger(__name__)


def running_server() -> Any:  # noqa: ANN401  ComfyUI's PromptServer, which has no stable type
    """Return ComfyUI's server, or None where there is none (a tool that only wants the nodes)."""
    module = sys.modules.get("server")
    return getattr(getattr(module, "PromptServer", None), "instance", None)


def node_classes() -> Mapping[str, Any]:
    """Return the node classes by name; none where this is no ComfyUI."""
    return getattr(sys.modules.get("nodes"), "NODE_CLASS_MAPPINGS", None) or {}


def described(names: Iterable[str]) -> dict[str, Json]:
    """Return what /object_info would say of some node classes; blocks (choices are read)."""
    classes = node_classes()
    return {name: _described(name, classes[name]) for name in set(names) if name in classes}


def missing(pipeline: Pipeline) -> Json:
    """Return the node classes and model files that a pipeline needs and this ComfyUI lacks."""
    classes = node_classes()
    nodes = [name for name in pipeline.nodes if name not in classes] if classes else []
    return {"nodes": nodes, "models": [_row(m) for m in pipeline.models if not _is_there(m)]}


def user_folder(request: web.Request) -> Path:
    """Return the folder of the user who asks, as ComfyUI's own /userdata has it."""
    users = getattr(running_server(), "user_manager", None)
    try:
        found = users.get_request_user_filepath(request, None, create_dir=False) if users else None
    except KeyError:
        raise ParameterError("ComfyUI does not know this user: choose one first.") from None
    if found is None:
        raise ParameterError("ComfyUI gives this user no folder.")
    return Path(found)


def system_folder() -> Path | None:
    """Return a folder of ours beside the users' that ComfyUI never shows over HTTP ("__...")."""
    paths = sys.modules.get("folder_paths")
    return Path(paths.get_user_directory()) / "__promptreel" if paths else None


def many_users() -> bool:
    """Whether each user has an own folder (--multi-user)."""
    return bool(getattr(_arguments(), "multi_user", False))


def listens_here_only() -> bool:
    """Whether only this machine can reach this ComfyUI."""
    return all(map(is_loopback, _addresses()))


def own_url() -> str:
    """Return the address by which a program on this machine reaches this ComfyUI."""
    arguments = _arguments()
    port = getattr(running_server(), "port", None) or getattr(arguments, "port", 8188)
    scheme = "https" if getattr(arguments, "tls_keyfile", None) else "http"
    first = _addresses()[0]
    host = {"0.0.0.0": "127.0.0.1", "": "127.0.0.1", "::": "[::1]"}.get(first, first)  # noqa: S104
    return f"{scheme}://{f'[{host}]' if ':' in host and host[0] != '[' else host}:{port}"


def _addresses() -> list[str]:
    told = getattr(_arguments(), "listen", None) or "127.0.0.1"
    return [one.strip() for one in str(told).split(",")]


def _arguments() -> Any:  # noqa: ANN401  ComfyUI's parsed command line
    return getattr(sys.modules.get("comfy.cli_args"), "args", None)


def is_loopback(address: str) -> bool:
    """Whether a literal address always means this machine."""
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return address == "localhost"


def _described(name: str, kind: Any) -> Json:  # noqa: ANN401  a node class
    """Return a class's inputs and outputs; of one that can't tell them, that it is there."""
    try:
        if hasattr(kind, "GET_NODE_INFO_V1"):
            told = kind.GET_NODE_INFO_V1()
            return {**told, "input": _rows(told["input"])}
        names = getattr(kind, "RETURN_NAMES", getattr(kind, "RETURN_TYPES", ()))
        return {
            "input": _rows(kind.INPUT_TYPES()),
            "output_name": [str(name) for name in names],
            "output_node": getattr(kind, "OUTPUT_NODE", False) is True,
        }
    except Exception:
        log.debug("the node %s does not tell its inputs", name, exc_info=True)
        return {}


def _rows(groups: Mapping[str, Mapping[str, Any]]) -> Json:
    """Return the inputs as JSON has them: each row a list."""
    wanted = {group: groups[group] for group in ("required", "optional") if group in groups}
    return {
        group: {name: list(row) for name, row in rows.items()} for group, rows in wanted.items()
    }


def _is_there(model: ModelFile) -> bool:
    paths = sys.modules.get("folder_paths")
    if paths is None:
        return True
    try:
        files = paths.get_filename_list(model.folder)
    except KeyError:
        return False
    return model.name in {str(name).replace("\\", "/") for name in files}


def _row(model: ModelFile) -> Json:
    return {"name": model.name, "folder": model.folder, "source": model.source}
