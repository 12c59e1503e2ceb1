"""Which error codes the service's source can raise, read from its syntax tree."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from sidecar import errors

SOURCE = Path(errors.__file__).parent
_DEFAULTS = {
    name: kind.default_code
    for name, kind in vars(errors).items()
    if isinstance(kind, type) and issubclass(kind, errors.ApiError)
}


def codes_in(source: str) -> set[str]:
    """Return the codes of a file: given by name, by place to a helper, or a class's own."""
    tree = ast.parse(source)
    helpers = {
        node.name: [argument.arg for argument in node.args.args].index("code")
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef) and "code" in [one.arg for one in node.args.args]
    }
    helpers["JobError"] = 0
    found = {code for node in ast.walk(tree) for code in _called(node, helpers)}
    return found | set(_hinted(tree))


def all_codes() -> set[str]:
    """Return the codes of the whole service."""
    raising = [source for source in _sources() if "Error" in source or "errors" in source]
    return {code for source in raising for code in codes_in(source)}


def _sources() -> Iterator[str]:
    for path in SOURCE.rglob("*.py"):
        if path.name != "error_codes.py":
            yield path.read_text(encoding="utf-8")


def codes_of_jobs() -> set[str]:
    """Return the codes that jobs are given, in what makes their errors."""
    trees = [ast.parse(source) for source in _sources() if "JobError" in source]
    found = {code for tree in trees for code in _hinted(tree)}
    for node in (node for tree in trees for node in ast.walk(tree)):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "JobError" and node.args:
            found.update(_texts(node.args[0]))
    return found


def _called(node: ast.AST, helpers: dict[str, int]) -> Iterator[str]:
    if isinstance(node, ast.Assign) and [getattr(t, "id", "") for t in node.targets] == ["code"]:
        yield from _texts(node.value)
    if not isinstance(node, ast.Call):
        return
    name = node.func.id if isinstance(node.func, ast.Name) else ""
    given = [keyword.value for keyword in node.keywords if keyword.arg == "code"]
    if not given and name in helpers and len(node.args) > helpers[name]:
        given = [node.args[helpers[name]]]
    if given and name in (*_DEFAULTS, *helpers):
        yield from _texts(given[0])
    elif name in _DEFAULTS and name != "ApiError" and node.args:
        yield _DEFAULTS[name]


def _hinted(tree: ast.Module) -> Iterator[str]:
    """Give the codes of tables and functions that pair a code with a sentence."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and node.name == "_hint":
            for part in ast.walk(node):
                if isinstance(part, ast.Return) and isinstance(part.value, ast.Tuple):
                    yield from _texts(part.value.elts[0])
        if isinstance(node, ast.AnnAssign) and getattr(node.target, "id", "") == "_HINTS":
            assert isinstance(node.value, ast.Tuple)
            for row in node.value.elts:
                assert isinstance(row, ast.Tuple)
                yield from _texts(row.elts[1])


def _texts(value: ast.AST) -> Iterator[str]:
    if isinstance(value, ast.Constant) and isinstance(value.value, str):
        yield value.value
    elif isinstance(value, ast.IfExp):
        yield from _texts(value.body)
        yield from _texts(value.orelse)
