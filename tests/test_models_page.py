"""The page about video models says what the pipelines and the families say, in both languages."""

from __future__ import annotations

import re
from fnmatch import fnmatch
from pathlib import Path

import pytest

from tests.test_workflows import OURS, each, pipelines, video

ROOT = Path(__file__).parents[1]
PAGES = ("models.md", "models.ru.md")
CELLS = re.compile(r"^\| `([\w.-]+)` \|(.*)\|$", re.MULTILINE)


def page(name: str) -> str:
    return (ROOT / "docs" / name).read_text(encoding="utf-8")


def table(name: str) -> dict[str, list[str]]:
    """A page's row of each pipeline: what it is good at, size, frames, VRAM, download, licence."""
    return {
        key: [cell.strip() for cell in row.split("|")] for key, row in CELLS.findall(page(name))
    }


@pytest.mark.parametrize("name", PAGES)
def test_the_pages_table_has_every_pipeline(name: str):
    assert [*table(name)][: len(OURS)] == [row for row in table(name) if row in OURS]
    assert table(name).keys() == pipelines().keys() - {"camera-motion"}


@each
@pytest.mark.parametrize("doc", PAGES)
def test_the_pages_tell_the_models_limits_and_files(doc: str, name: str):
    _, size, frames, vram, download, licence = table(doc)[name]
    ours, (_, _, limits) = pipelines()[name], video(name)
    params = {param.name: param for param in ours.params}
    first, *_ = size.split(", ")
    assert first == params["resolution"].default
    assert re.findall(r"[\d.]+", frames)[0] == str(limits.max_frames)
    assert frames.endswith(f" {limits.fps:g} fps")
    assert f"{sum(file.size or 0 for file in ours.models) / 1e9:.1f} GB" == download
    assert re.findall(r"\d+ GB", vram) == re.findall(r"\d+ GB", ours.vram)[:1]
    video_file = next(file for file in ours.models if file.licence)
    assert video_file.licence.split(" (")[0] in licence


@pytest.mark.parametrize("doc", PAGES)
def test_the_pages_tell_the_order(doc: str):
    ranked = sorted((p for p in pipelines().values() if p.rank), key=lambda p: -p.rank)
    told = re.findall(r"`([\w.-]+)`", page(doc).partition("## ")[2].partition("\n\n")[2])
    assert [name for name in told if name in pipelines()][: len(ranked)] == [p.name for p in ranked]


@pytest.mark.parametrize("doc", PAGES)
def test_the_pages_say_where_each_file_goes(doc: str):
    rows = re.findall(r"^\| (`.*) \| `models/(\w+)` \|$", page(doc), re.MULTILINE)
    places = [(pattern, folder) for names, folder in rows for pattern in names.split(", ")]
    for name in OURS:
        for file in pipelines()[name].models:
            stem = file.name.removesuffix(".safetensors")
            found = {folder for pattern, folder in places if fnmatch(stem, pattern.strip("`"))}
            assert found == {file.folder}, file.name


def test_both_pages_are_the_same_but_for_the_language():
    english, russian = (re.findall(r"`[^`\n]+`|^#+ ", page(doc), re.MULTILINE) for doc in PAGES)
    assert sorted(english) == sorted(russian)
    numbers = [[row[2:5:2] for row in table(doc).values()] for doc in PAGES]
    digits = [re.findall(r"[\d.]+", str(value)) for value in numbers]
    assert digits[0] == digits[1]
