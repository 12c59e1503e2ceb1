"""The pack's words in every language: nothing missing, nothing left over, nothing untranslated."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from promptreel.engine.by_hand import moves
from promptreel.engine.look import LOOKS
from promptreel.families.base import STRENGTHS

PACK = Path(__file__).parents[2] / "custom_nodes" / "promptreel"
LANGUAGES = ("en", "ru", "zh")
FILES = ("main", "nodeDefs", "settings", "commands")
LETTERS = {"en": "[A-Za-z]", "ru": "[\u0400-\u04ff]", "zh": "[\u4e00-\u9fff]"}
NAMES = {"PromptReel"}  # which every language leaves as they are
OPTIONS = {
    ("PromptReelCamera", "move"): moves(),
    ("PromptReelCamera", "mode"): ["add", "replace", "then"],
    ("PromptReelStill", "look"): ["as the text says", "none", *LOOKS],
    ("PromptReelStill", "framing"): ["whole", "fill"],
    ("PromptReelKeyframe", "strength"): list(STRENGTHS),
    ("PromptReelRequest", "aspect"): ["source"],  # the others are numbers
}
TAGGED = re.compile(r"\{\w+\}")


def _words(language: str, name: str) -> dict[str, Any]:
    path = PACK / "locales" / language / f"{name}.json"
    return json.loads(path.read_text(encoding="utf-8"))


def _leaves(value: Any, path: str = "") -> dict[str, str]:
    if not isinstance(value, dict):
        return {path: value}
    return {key: leaf for k, v in value.items() for key, leaf in _leaves(v, f"{path}/{k}").items()}


def _scripts() -> str:
    return "".join(path.read_text(encoding="utf-8") for path in (PACK / "web").rglob("*.js"))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", FILES)
def test_every_language_says_the_same_things_in_its_own_letters(language: str, name: str):
    english, own = _leaves(_words("en", name)), _leaves(_words(language, name))
    assert list(own) == list(english)
    for path, words in own.items():
        if words not in NAMES:
            model = language == "zh" and re.search(r"/(display_name|name)$", path)
            assert model or re.search(LETTERS[language], words), (path, words)
        assert TAGGED.findall(words) == TAGGED.findall(english[path]), path


@pytest.mark.parametrize("language", LANGUAGES)
def test_options_of_words_have_words(language: str):
    defs = _words(language, "nodeDefs")
    told = {
        (node, name): list(row["options"])
        for node, words in defs.items()
        for name, row in words["inputs"].items()
        if "options" in row
    }
    assert told == OPTIONS


def test_scripts_say_only_what_is_translated():
    said = set(re.findall(r'\bsay\(\s*(?:[\w.]+ \? )?"(\w+)"', _scripts()))
    said |= {word for pair in re.findall(r'\? "(\w+)" : "(\w+)"\)', _scripts()) for word in pair}
    assert said == set(_words("en", "main")["promptreel"])


def test_settings_and_commands_have_words_and_the_same_english():
    script = _scripts()
    settings, commands = _words("en", "settings"), _words("en", "commands")
    for words in (*settings.values(), *commands.values()):
        for sentence in words.values():
            assert json.dumps(sentence) in script
    ids = re.findall(r'"(PromptReel\.\w+)"', _scripts())
    assert {name.replace(".", "_") for name in ids} == {*settings, *commands}


@pytest.mark.parametrize("language", ["en", "ru"])
def test_help_pictures_are_there_and_small(language: str):
    """The editor looks for them from `docs`, whichever node's page it shows."""
    docs = PACK / "web" / "docs"
    shown = [
        name
        for page in docs.glob(f"*/{language}.md")
        for name in re.findall(r"!\[[^\]]+\]\(([^)]+)\)", page.read_text(encoding="utf-8"))
    ]
    assert sorted(shown) == sorted(f"pictures/{path.name}" for path in docs.glob("pictures/*"))
    assert all((docs / name).stat().st_size < 40_000 for name in shown)
