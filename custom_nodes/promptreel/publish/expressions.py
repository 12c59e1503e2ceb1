"""The value of a short formula like "max(5, round(a * 24)) + 1", as math nodes of ComfyUI have it.

Only numbers, arithmetic and a few functions: nothing is run by `eval`. Pure.
"""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable, Mapping
from typing import Any

LONGEST = 500  # characters; what is longer has no value here

_OPERATORS: dict[type, Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: lambda left, right: left / right,
    ast.FloorDiv: lambda left, right: left // right,
    ast.Mod: operator.mod,
}
_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "min": min,
    "max": max,
    "round": round,
    "abs": abs,
    "int": int,
    "float": float,
    "floor": math.floor,
    "ceil": math.ceil,
}


def calculate(formula: str, values: Mapping[str, float]) -> float | None:
    """Return the formula's value, or None if it is not such a formula or has none."""
    if len(formula) > LONGEST:
        return None
    try:
        return float(_value(ast.parse(formula.strip(), mode="eval").body, values))
    except (SyntaxError, ValueError, TypeError, ArithmeticError, KeyError, RecursionError):
        return None


def _value(node: ast.expr, values: Mapping[str, float]) -> Any:  # noqa: ANN401  int or float
    if isinstance(node, ast.Constant) and type(node.value) in (int, float):
        return node.value
    if isinstance(node, ast.Name):
        return values[node.id]
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.USub, ast.UAdd)):
        inner = _value(node.operand, values)
        return -inner if isinstance(node.op, ast.USub) else inner
    if isinstance(node, ast.BinOp):
        left, right = _value(node.left, values), _value(node.right, values)
        return _OPERATORS[type(node.op)](left, right)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and not node.keywords:
        return _FUNCTIONS[node.func.id](*(_value(one, values) for one in node.args))
    raise ValueError
