"""The documentation says what the code does: settings, and the files that it links to."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from sidecar.settings_table import SETTINGS, Setting

ROOT = Path(__file__).parents[1]
PAGES = (
    "README.md",
    "README.ru.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    "CHANGELOG.md",
    "docs/settings.md",
    "docs/client.md",
    "docs/operate.md",
    "docs/models.md",
    "docs/models.ru.md",
)


def row(setting: Setting) -> str:
    """Return a setting's line in `docs/settings.md`."""
    flag = f"`{setting.flag}`" if setting.flag else "none"
    default = f"`{setting.default}`" if setting.default else "none"
    return f"| `{setting.env}` | {flag} | {default} | {setting.help} |"


def test_every_setting_is_documented_and_nothing_else():
    lines = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8").splitlines()
    documented = [line for line in lines if line.startswith("| `")]
    assert documented == [row(setting) for setting in SETTINGS]


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page: str):
    text = (ROOT / page).read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)#\s]+)", text):
        if "://" not in target:
            assert ((ROOT / page).parent / target).exists(), target


def test_the_tests_that_prove_a_promise_are_there():
    named = re.findall(r"`([\w/]+/|[\w/]*test_\w+\.py|tests/\w+\.py)`", _text("SECURITY.md"))
    assert len(named) >= 15
    tests = [path.relative_to(ROOT).as_posix() for path in (ROOT / "tests").rglob("*.py")]
    for name in named:
        assert (ROOT / name).exists() or any(path.endswith(f"/{name}") for path in tests), name


def test_both_readmes_show_the_same_commands():
    english, russian = (_code(_text(name)) for name in ("README.md", "README.ru.md"))
    assert len(english) >= 12
    assert english == russian


def _code(page: str) -> list[str]:
    """Return a page's blocks of code, without what people read in them: comments and texts."""
    blocks = "".join(re.findall(r"^```\w*\n(.*?)^```", page, re.MULTILINE | re.DOTALL))
    bare = re.sub(r"""(?<!:)(?:#|//) .*|(text=")[^"]*|('text', )'[^']*'""", r"\1\2", blocks)
    bare = re.sub(r"[A-Z_]*[\u0410-\u042f][\u0410-\u042f_]*|PASTE_IT_HERE", "X", bare)
    return [line.strip() for line in bare.splitlines() if line.strip()]


def _text(page: str) -> str:
    return (ROOT / page).read_text(encoding="utf-8")
