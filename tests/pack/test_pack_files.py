"""The pack's files without ComfyUI: nothing imported too early, nothing missing, nothing twice."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image
from promptreel.families import FAMILIES, KEYFRAMES

from tests.e2e.pack_graphs import INTERNAL, NODES

ROOT = Path(__file__).parents[2]
PACK = ROOT / "custom_nodes" / "promptreel"
ENTRIES = [ROOT / "__init__.py", ROOT / "prestartup_script.py"]


def _words(language: str) -> dict:
    path = PACK / "locales" / language / "nodeDefs.json"
    return json.loads(path.read_text(encoding="utf-8"))


def _requirements(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").split()


def _dependencies(path: Path) -> list[str]:
    found = re.search(
        r"^dependencies = \[(.*?)\]", path.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
    )
    assert found
    return re.findall(r'"(.*?)"', found[1])


def _version(path: Path) -> str:
    (version,) = re.findall(r'^version = "(.*)"', path.read_text(encoding="utf-8"), re.MULTILINE)
    return version


def test_pack_imports_nothing_at_module_level():
    tree = ast.parse((PACK / "__init__.py").read_text(encoding="utf-8"))
    assert not [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]


def test_engine_needs_no_torch_and_no_comfyui():
    code = "import promptreel.engine.encode, sys; print({'torch', 'comfy_api'} & {*sys.modules})"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=PACK.parent, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "set()"


@pytest.mark.parametrize(
    "path",
    [*ENTRIES, *PACK.rglob("*.py"), *PACK.rglob("*.toml"), *PACK.rglob("requirements.txt")],
    ids=lambda path: str(path.relative_to(ROOT)),
)
def test_sources_are_ascii(path: Path):
    assert path.read_bytes().isascii()


def test_no_absolute_import_of_the_pack_itself():
    for path in PACK.rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        assert not re.search(
            r"^\s*(from|import) (promptreel|custom_nodes)\b", text, re.MULTILINE
        ), path


def test_requirements_are_in_sync():
    pack = _requirements(PACK / "requirements.txt")
    assert pack == _requirements(ROOT / "requirements.txt")
    assert pack == _dependencies(PACK / "pyproject.toml")
    # The service brings its own environment and may ask for newer ones than a ComfyUI has.
    service = {line.partition(">")[0] for line in _dependencies(ROOT / "pyproject.toml")}
    assert {line.partition(">")[0] for line in pack} <= service


def test_requirements_are_plain_lines_that_the_manager_takes():
    for line in _requirements(PACK / "requirements.txt"):
        assert re.fullmatch(r"[a-z]+>=[\d.]+", line)
        assert "opencv" not in line


def test_versions_agree():
    assert _version(ROOT / "pyproject.toml") == _version(PACK / "pyproject.toml")


@pytest.mark.parametrize("language", ["en", "ru"])
def test_every_node_has_words_and_help(language: str):
    words = _words(language)
    assert tuple(words) == (*NODES, *INTERNAL)
    for node in NODES:
        page = PACK / "web" / "docs" / node / f"{language}.md"
        assert page.read_text(encoding="utf-8").startswith("# PromptReel")


@pytest.mark.parametrize("language", ["en", "ru"])
def test_every_loader_has_words_for_its_widgets(language: str):
    for family in (*FAMILIES.values(), *KEYFRAMES.values()):
        roles = [slot.role for slot in family.slots]
        assert list(_words(language)[family.node_id]["inputs"]) == [*roles, *family.switches]


def _leaves(value: object, path: str = "") -> dict[str, object]:
    if not isinstance(value, dict):
        return {path: value}
    return {key: leaf for k, v in value.items() for key, leaf in _leaves(v, f"{path}/{k}").items()}


def test_languages_say_the_same_things():
    english, russian = _leaves(_words("en")), _leaves(_words("ru"))
    assert english.keys() == russian.keys()
    for path, words in russian.items():
        assert isinstance(words, str)
        assert re.search("[а-яё]", words), path
    assert all(isinstance(words, str) and words.isascii() for words in english.values())


def test_tooltips_are_sentences():
    for language in ("en", "ru"):
        for path, words in _leaves(_words(language)).items():
            if path.endswith(("tooltip", "description")):
                assert str(words).endswith("."), path


def test_every_example_has_a_small_square_picture():
    """ComfyUI's template browser shows NAME.jpg beside NAME.json, in a square."""
    examples = PACK / "example_workflows"
    names = {path.stem for path in examples.glob("*.json")}
    assert names == {path.stem for path in examples.glob("*.jpg")}
    for name in names:
        picture = examples / f"{name}.jpg"
        assert picture.stat().st_size < 30_000
        with Image.open(picture) as opened:
            assert (opened.format, *opened.size) == ("JPEG", 480, 480)
