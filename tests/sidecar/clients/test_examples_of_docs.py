"""docs/client.md and docs/operate.md: every example is run, every metric is there."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from sidecar.app import create_app
from sidecar.observe.metrics import Metrics
from tests.needs import lacking
from tests.sidecar.clients.test_javascript import FILE, NODE

DOCS = Path(__file__).parents[3] / "docs"
CLIENT = (DOCS / "client.md").read_text("utf-8")
OPERATE = (DOCS / "operate.md").read_text("utf-8")
KEY = "secret-key"


def blocks(kind: str) -> list[str]:
    return re.findall(rf"^```{kind}\n(.*?)^```", CLIENT, re.MULTILINE | re.DOTALL)


@pytest.fixture
async def client(aiohttp_client, settings):
    return await aiohttp_client(create_app(replace(settings, api_key=KEY)))


@pytest.fixture
def folder(tmp_path, png):
    (tmp_path / "photo.jpg").write_bytes(png)
    return tmp_path


async def test_the_curl_examples(client, folder):
    shell, curl = shutil.which("sh"), shutil.which("curl")
    if shell is None or curl is None:
        lacking("There is no curl, or no shell to run it in.")
    environ = {"URL": str(client.make_url("")).rstrip("/"), "KEY": KEY, "PATH": "/usr/bin:/bin"}

    async def run(command: str) -> str:
        process = await asyncio.create_subprocess_exec(
            shell, "-c", command, env=environ, cwd=folder, stdout=-1, stderr=-1
        )
        out, err = await process.communicate()
        assert process.returncode == 0, err
        return out.decode()

    commands = [
        command for block in blocks("sh") for command in re.findall(r"curl (?:.*\\\n)*.*\n", block)
    ]
    assert len(commands) == 4
    environ["IMAGE"] = json.loads(await run(commands[0]))["imageUrl"]
    made = json.loads(await run(commands[1].replace("seconds=5", "seconds=1")))
    assert made["video"].endswith(".mp4")
    environ["JOB"] = json.loads(await run(commands[2]))["id"]
    assert "event: result" in await run(commands[3])


async def test_the_python_example(client, folder, monkeypatch):
    (code,) = blocks("python")
    monkeypatch.chdir(folder)
    names = {"url": str(client.make_url("")), "key": KEY}
    await asyncio.to_thread(exec, code, names)
    assert (folder / "video.mp4").read_bytes()[4:8] == b"ftyp"


@pytest.mark.parametrize("number", [0, 1])
async def test_the_javascript_examples(client, folder, number):
    code = blocks("js")[number].replace("'./promptreel.js'", json.dumps(FILE.as_uri()))
    url = str(client.make_url("")).rstrip("/")
    imports = "".join(re.findall(r"^import .*\n", code, re.MULTILINE))
    script = folder / "run.mjs"
    script.write_text(
        f"import {{ readFileSync }} from 'node:fs'\n{imports}"
        f"const url = {json.dumps(url)}, key = {json.dumps(KEY)}\n"
        f"const file = new Blob([readFileSync('photo.jpg')])\n"
        f"{code.replace(imports, '')}\nconsole.log('made ' + made.video)\n",
        encoding="utf-8",
    )
    run = await asyncio.to_thread(
        subprocess.run,
        [str(NODE), str(script)],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert re.search(r"made http://.*\.mp4", run.stdout), run.stderr


def test_every_metric_is_documented_and_no_other():
    stem = re.compile(r"_(bucket|sum|count|created)$")
    ours = {stem.sub("", name) for name in Metrics("1").names() if name.startswith("promptreel_")}
    assert set(re.findall(r"promptreel_[a-z_]+[a-z]", OPERATE)) == ours
