"""The plan of the house, read from the syntax tree: who may import whom, and what a file may be."""

from __future__ import annotations

import ast
import itertools
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACK = "custom_nodes.promptreel"
PLACES = ("custom_nodes", "sidecar", "installer", "tests", "bench", "*.py")
MOST_LINES = 450
ENVIRONMENT = ("environ", "environb", "getenv")


def _files() -> list[Path]:
    found = itertools.chain.from_iterable(
        ROOT.glob(place) if "*" in place else (ROOT / place).rglob("*.py") for place in PLACES
    )
    return sorted(found)


FILES = _files()


def _module(path: Path) -> str:
    """Return a file's dotted name as seen from the checkout."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@dataclass(frozen=True)
class Import:
    """One imported module in a file, relative ones resolved to the checkout's names."""

    name: str
    relative: bool
    lazy: bool  # inside a function


def _imports(tree: ast.Module, path: Path) -> Iterator[Import]:
    package = _module(path) if path.name == "__init__.py" else _module(path).rpartition(".")[0]
    lazy = {
        inner
        for function in ast.walk(tree)
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
        for inner in ast.walk(function)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(alias.name, False, node in lazy)
        elif isinstance(node, ast.ImportFrom):
            base = _base(package, node)
            for alias in node.names:
                yield Import(f"{base}.{alias.name}", bool(node.level), node in lazy)


def _base(package: str, node: ast.ImportFrom) -> str:
    if not node.level:
        return node.module or ""
    parts = package.split(".")
    above = parts[: len(parts) - node.level + 1]
    return ".".join([*above, *([node.module] if node.module else [])])


def _is_in(name: str, *modules: str) -> bool:
    return any(name == module or name.startswith(f"{module}.") for module in modules)


COMFY = (
    "comfy",
    "comfy_api",
    "comfy_api_nodes",
    "comfy_execution",
    "comfy_extras",
    "execution",
    "folder_paths",
    "nodes",
    "server",
)


@dataclass(frozen=True)
class Rule:
    """What the files of one place may not import, and the files that may."""

    place: str
    forbidden: tuple[str, ...]
    but: tuple[str, ...] = ()


RULES = (
    Rule(f"{PACK}.engine", ("torch", *COMFY, "aiohttp", f"{PACK}.nodes", f"{PACK}.families")),
    Rule(f"{PACK}.families", ("torch", f"{PACK}.engine", f"{PACK}.nodes")),
    Rule(f"{PACK}.routes", ("torch", *COMFY, f"{PACK}.nodes")),
    Rule(
        f"{PACK}.publish",
        ("torch", *COMFY, "aiohttp", *(f"{PACK}.{name}" for name in ("engine", "nodes", "routes"))),
    ),
    Rule(PACK, ("sidecar", "promptreel", "installer", "tests")),
    Rule("sidecar", ("torch", *COMFY, "installer", "tests")),
    Rule("sidecar", ("promptreel", "custom_nodes"), but=("sidecar.engine", "sidecar.rules")),
    Rule(
        "sidecar.comfy",
        tuple(f"sidecar.{name}" for name in ("jobs", "api", "backends", "media", "pipelines")),
    ),
    Rule("sidecar.pipelines", ("sidecar.comfy", "sidecar.api", "sidecar.backends", "aiohttp")),
    Rule("sidecar.backends", ("sidecar.api", "sidecar.app")),
    Rule(
        "sidecar.http",
        tuple(f"sidecar.{name}" for name in ("api", "app", "backends", "comfy", "pool")),
    ),
    Rule(
        "sidecar",
        ("prometheus_client",),
        but=("sidecar.observe.metrics", "sidecar.observe.snapshot"),
    ),
    Rule("sidecar", ("opentelemetry",), but=("sidecar.observe.otel",)),
    Rule("sidecar", ("pydantic",), but=("sidecar.openapi.schemas",)),
    Rule(
        "sidecar.models",
        ("aiohttp", *(f"sidecar.{name}" for name in ("api", "backends", "comfy", "cli"))),
    ),
    Rule(
        "sidecar.importer",
        ("aiohttp", *(f"sidecar.{name}" for name in ("api", "app", "backends", "jobs", "store"))),
    ),
    Rule("sidecar.cli", tuple(f"sidecar.{name}" for name in ("api", "backends", "comfy", "app"))),
    Rule("installer", ("sidecar", "promptreel", "custom_nodes", "tests", "torch", *COMFY)),
)


def breaches(source: str, path: Path) -> list[str]:
    """Return what a file imports though a rule forbids it."""
    module = _module(path)
    rules = [rule for rule in RULES if _is_in(module, rule.place) and module not in rule.but]
    return [
        f"{module} imports {one.name}"
        for one in _imports(ast.parse(source), path)
        for rule in rules
        if _is_in(one.name, *rule.forbidden)
    ]


def environment_reads(source: str) -> list[int]:
    """Return the lines that read the environment when the file is imported."""
    tree = ast.parse(source)
    inside = {
        inner
        for scope in ast.walk(tree)
        if isinstance(scope, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        for part in (scope.body if isinstance(scope.body, list) else [scope.body])
        for inner in ast.walk(part)
    }
    return [
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute | ast.alias) and node not in inside
        if (node.attr if isinstance(node, ast.Attribute) else node.name) in ENVIRONMENT
    ]


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


@pytest.mark.parametrize("path", FILES, ids=_module)
def test_imports_go_one_way(path: Path):
    assert not breaches(_text(path), path)


@pytest.mark.parametrize("path", FILES, ids=_module)
def test_file_is_short(path: Path):
    assert len(_text(path).splitlines()) <= MOST_LINES


PRODUCT = [path for path in FILES if not _is_in(_module(path), "tests", "bench")]


@pytest.mark.parametrize("path", PRODUCT, ids=_module)
def test_file_is_plain_ascii(path: Path):
    assert path.read_bytes().isascii()


@pytest.mark.parametrize("path", PRODUCT, ids=_module)
def test_nothing_reads_the_environment_at_import(path: Path):
    assert not environment_reads(_text(path))


@pytest.mark.parametrize(
    "path", [path for path in PRODUCT if _is_in(_module(path), PACK)], ids=_module
)
def test_pack_imports_itself_by_relative_names_only(path: Path):
    ours = [one for one in _imports(ast.parse(_text(path)), path) if _is_in(one.name, PACK)]
    assert all(one.relative for one in ours)


def test_pack_imports_nothing_until_comfyui_asks():
    path = ROOT / "custom_nodes" / "promptreel" / "__init__.py"
    eager = [one.name for one in _imports(ast.parse(_text(path)), path) if not one.lazy]
    assert all(_is_in(name, "__future__", "typing") for name in eager)


def test_only_the_nodes_know_torch_and_comfyui():
    knowing = {
        _module(path)
        for path in PRODUCT
        for one in _imports(ast.parse(_text(path)), path)
        if _is_in(one.name, "torch", "comfy", "comfy_api", "folder_paths", "server")
    }
    assert knowing
    assert all(_is_in(name, f"{PACK}.nodes", "prestartup_script") for name in knowing)


def test_installer_uses_the_standard_library_only():
    files = [path for path in PRODUCT if _is_in(_module(path), "installer", "install")]
    names = {
        one.name.partition(".")[0]
        for path in files
        for one in _imports(ast.parse(_text(path)), path)
    }
    assert files
    assert names <= {*sys.stdlib_module_names, "installer", "_winapi"}


@pytest.mark.parametrize(
    ("place", "line"),
    [
        (f"{PACK}.engine.x", "import torch"),
        (f"{PACK}.engine.x", "from torch.nn import functional"),
        (f"{PACK}.engine.x", "import comfy.utils"),
        (f"{PACK}.engine.x", "from comfy_api.latest import io"),
        (f"{PACK}.engine.x", "from .. import nodes"),
        (f"{PACK}.engine.x", "from ..nodes.scene import Scene"),
        (f"{PACK}.families.x", "from ..engine.values import Extent"),
        (f"{PACK}.nodes.x", "from promptreel.engine import scene"),
        (f"{PACK}.nodes.x", "import sidecar.app"),
        ("sidecar.x", "from promptreel.engine import scene"),
        ("sidecar.x", "from promptreel.publish import manifest"),
        (f"{PACK}.publish.x", "import aiohttp"),
        (f"{PACK}.publish.x", "from ..routes import answers"),
        ("sidecar.x", "def f():\n    import torch"),
        ("sidecar.comfy.x", "from .. import jobs"),
        ("sidecar.comfy.x", "from ..media import MediaStore"),
        ("sidecar.comfy.x", "from sidecar.pipelines import Pipeline"),
        ("sidecar.backends.x", "from ..api.urls import media_url"),
        ("sidecar.http.x", "from sidecar.api.urls import media_url"),
        ("sidecar.comfy.x", "from prometheus_client import Counter"),
        ("sidecar.app", "def f():\n    import opentelemetry.trace"),
        ("sidecar.openapi.document", "import pydantic"),
        ("installer.x", "import sidecar"),
    ],
)
def test_the_rules_catch_a_breach(place: str, line: str):
    path = ROOT.joinpath(*place.split(".")).with_suffix(".py")
    assert breaches(line, path)


def test_the_rules_let_the_house_be():
    path = ROOT / "sidecar" / "engine.py"
    assert not breaches("from promptreel.engine import scene", path)
    assert not breaches("import comfortable, serverless", path)


@pytest.mark.parametrize(
    ("source", "lines"),
    [
        ("import os\nHOME = os.environ['HOME']", [2]),
        ("import os\nclass A:\n    x = os.getenv('X')", [3]),
        ("import os\ndef f(x=os.environ.get('X')):\n    pass", [2]),
        ("from os import environ", [1]),
        ("import os\ndef f():\n    return os.environ", []),
        ("import os\nf = lambda: os.environ", []),
    ],
)
def test_environment_reads_are_found(source: str, lines: list[int]):
    assert environment_reads(source) == lines
