"""Parameters of pipelines: their types and limits, and texts checked against them. Pure.

Must not know pipelines, HTTP or ComfyUI.
"""

from __future__ import annotations

import math
import re
import sys
from dataclasses import dataclass
from typing import Any, Literal, get_args

ParamType = Literal["string", "integer", "number", "boolean", "enum"]
PARAM_TYPES: tuple[str, ...] = get_args(ParamType)

LARGEST = sys.float_info.max  # what JSON has for all: no infinity, no larger whole number
_INTEGER = re.compile(r"[+-]?[0-9]{1,30}")
_BOOLEANS = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}


@dataclass(frozen=True)
class Param:
    """One parameter. Of a string, `maximum` counts characters. Default None: the graph's own."""

    name: str
    type: ParamType
    default: Any = None
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[str, ...] = ()
    help: str = ""


# The contract's common parameters; a pipeline takes those that its graph has a place for. The
# limits are the engine's (a test compares them).
COMMON: tuple[Param, ...] = (
    Param(
        "seconds",
        "number",
        minimum=0.5,
        maximum=60,
        help="Length of the video; without it the text decides.",
    ),
    Param(
        "aspect",
        "enum",
        choices=("source", "16:9", "9:16", "1:1", "4:3", "3:4"),
        help="Shape of the video; source keeps the picture's own.",
    ),
    Param(
        "resolution",
        "enum",
        choices=("480p", "720p", "1080p"),
        help="The video's short side in pixels.",
    ),
    Param("fps", "number", minimum=1, maximum=60, help="Frames in a second."),
    Param(
        "seed",
        "integer",
        minimum=0,
        maximum=2**64 - 1,
        help="The same seed gives the same video again.",
    ),
    Param("negative", "string", maximum=200_000, help="What must not be in the video."),
)


class WrongValue(ValueError):
    """A text is not a value of the parameter; the message completes "<name> ..."."""


def parse(param: Param, text: str) -> object:
    """Return the typed value that a text means. Raises WrongValue, naming the limits."""
    value = _READERS[param.type](text.strip() if param.type != "string" else text)
    if value is None or not _allowed(param, value):
        raise WrongValue(expectation(param))
    return value


def is_value(param: Param, value: object) -> bool:
    """Whether a typed value (from a JSON file) is one of the parameter."""
    if param.type == "boolean":
        return isinstance(value, bool)
    wanted = {"integer": int, "number": (int, float)}.get(param.type, str)
    return isinstance(value, wanted) and not isinstance(value, bool) and _allowed(param, value)


def expectation(param: Param) -> str:
    """Return what a value must be: "must be a number from 0.5 to 60"."""
    if param.type == "enum":
        return f"must be one of {', '.join(param.choices)}"
    if param.type == "boolean":
        return "must be true or false"
    if param.type == "string":
        return f"must have {_characters(param)}"
    kind = "a whole number" if param.type == "integer" else "a number"
    low, high = _shown(param.minimum), _shown(param.maximum)
    if low and high:
        return f"must be {kind} from {low} to {high}"
    limit = f", at least {low}" if low else f", at most {high}" if high else ""
    return f"must be {kind}{limit}"


def _characters(param: Param) -> str:
    most = "" if param.maximum is None else f"at most {param.maximum:g}"
    least = "" if param.minimum is None else f"at least {param.minimum:g}"
    return f"{' and '.join(filter(None, (least, most))) or 'some'} characters"


def _shown(limit: float | None) -> str:
    if limit is None:
        return ""
    return str(int(limit)) if limit == int(limit) else f"{limit:g}"


def _allowed(param: Param, value: object) -> bool:
    if param.type == "enum":
        return value in param.choices
    size = len(value) if isinstance(value, str) else value
    if isinstance(size, bool) or not isinstance(size, (int, float)):
        return True
    least = -math.inf if param.minimum is None else param.minimum
    most = math.inf if param.maximum is None else param.maximum
    return -LARGEST <= size <= LARGEST and least <= size <= most


def _integer(text: str) -> int | None:
    return int(text) if _INTEGER.fullmatch(text) else None


def _number(text: str) -> float | None:
    try:
        return float(text) if len(text) <= 40 and text.isascii() and "_" not in text else None
    except ValueError:
        return None


def _string(text: str) -> str:
    return text


def _boolean(text: str) -> bool | None:
    return _BOOLEANS.get(text.lower())


_READERS = {
    "string": _string,
    "integer": _integer,
    "number": _number,
    "boolean": _boolean,
    "enum": _string,
}
